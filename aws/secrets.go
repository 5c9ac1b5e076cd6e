package aws

import "gantry/internal/secret"

// byName are the keys whose children are name → value, such as log options.
var byName = map[string]bool{"options": true, "dockerLabels": true, "labels": true, "driverOpts": true}

// mask hides what looks secret in a document, in place, and returns it. ARNs
// that only say where a secret is kept (secrets[].valueFrom) stay.
func mask(v any) any {
	switch v := v.(type) {
	case map[string]any:
		maskPair(v)
		for key, child := range v {
			switch list, isList := child.([]any); {
			case isList && (key == "command" || key == "entryPoint"):
				maskArguments(list)
			case byName[key]:
				maskValues(child)
			default:
				v[key] = mask(child)
			}
		}
	case []any:
		for i := range v {
			v[i] = mask(v[i])
		}
	case string:
		return secret.Pair("", v)
	}
	return v
}

// maskPair hides the value of {name, value} and {key, value}: environment
// entries, proxy properties and tags.
func maskPair(m map[string]any) {
	value, ok := m["value"].(string)
	if !ok {
		return
	}
	for _, label := range []string{"name", "key"} {
		if name, ok := m[label].(string); ok {
			m["value"] = secret.Pair(name, value)
		}
	}
}

// maskValues hides values by their key.
func maskValues(v any) {
	m, ok := v.(map[string]any)
	if !ok {
		return
	}
	for key, child := range m {
		if text, ok := child.(string); ok {
			m[key] = secret.Pair(key, text)
			continue
		}
		m[key] = mask(child)
	}
}

// maskArguments hides secrets in a command line. A word that holds one in
// other form than NAME=value is hidden as a whole.
func maskArguments(list []any) {
	words := make([]string, len(list))
	for i := range list {
		words[i], _ = list[i].(string)
	}
	for i, masked := range secret.Arguments(words) {
		list[i] = masked
		if secret.Value(words[i]) {
			list[i] = secret.Masked
		}
	}
}
