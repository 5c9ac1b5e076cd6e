package aws

import (
	"regexp"
	"strings"
)

// Masked stands for a value that is not shown.
const Masked = "••••••"

// secretWord is found in the names of things that hold secrets. KEY, PASS and
// AUTH count only as whole words, since MONKEY and PASSENGER are not secrets.
var (
	secretWord  = regexp.MustCompile(`(?i)(passw|passphrase|secret|token|credential|private|api_?key|access_?key|signing|encryption_?key)`)
	secretPart  = regexp.MustCompile(`(?i)(^|[^a-z])(keys?|pass|pwd|auth|dsn|salt|jwt)([^a-z]|$)`)
	camelCase   = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	secretValue = regexp.MustCompile(`(?i)(` +
		`[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@` + // a URL with a password
		`|\b(AKIA|ASIA)[A-Z0-9]{16}\b` + // an AWS access key
		`|\bgh[pousr]_[A-Za-z0-9]{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bsk[-_](live|test|ant|proj)?[-_A-Za-z0-9]{16,}` +
		`|-----BEGIN [A-Z ]*PRIVATE KEY` +
		`|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.` + // a JSON web token
		`|(password|pwd)\s*=\s*[^;\s]+` + // a connection string
		`)`)
	secretFlag       = regexp.MustCompile(`^--?([A-Za-z][\w.-]*)$`)
	secretAssignment = regexp.MustCompile(`(--?)?([A-Za-z][\w.-]*)=("[^"]*"|'[^']*'|\S+)`)
)

// secretName reports whether something of that name is likely to be secret.
func secretName(name string) bool {
	if secretWord.MatchString(name) {
		return true
	}
	return secretPart.MatchString(camelCase.ReplaceAllString(name, "${1}_${2}"))
}

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
		if secretValue.MatchString(v) {
			return Masked
		}
	}
	return v
}

// maskPair hides the value of {name, value} and {key, value}: environment
// entries, proxy properties and tags.
func maskPair(m map[string]any) {
	value, ok := m["value"].(string)
	if !ok || value == "" {
		return
	}
	for _, label := range []string{"name", "key"} {
		if name, ok := m[label].(string); ok && secretName(name) {
			m["value"] = Masked
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
		if text, ok := child.(string); ok && text != "" && secretName(key) {
			m[key] = Masked
			continue
		}
		m[key] = mask(child)
	}
}

// maskArguments hides secrets in a command line: --password X, --token=X and
// PASSWORD=X inside a shell command.
func maskArguments(args []any) {
	flagged := false
	for i := range args {
		text, ok := args[i].(string)
		if !ok {
			continue
		}
		if flagged || secretValue.MatchString(text) {
			args[i], flagged = Masked, false
			continue
		}
		m := secretFlag.FindStringSubmatch(text)
		flagged = m != nil && secretName(m[1])
		args[i] = secretAssignment.ReplaceAllStringFunc(text, maskAssignment)
	}
}

func maskAssignment(assignment string) string {
	name, _, _ := strings.Cut(assignment, "=")
	if secretName(name) {
		return name + "=" + Masked
	}
	return assignment
}
