package sandbox

import (
	"strings"

	"gantry/internal/pattern"
)

// logTerm is one word of a filter pattern: ERROR, "two words", -not, ?either.
var logTerm = pattern.Late(`^([-?]?)("(?:[^"\\]|\\.)*"|[A-Za-z0-9_]+)(?:\s+|$)`)

// parseLogPattern reads a filter pattern of plain terms: all of them have to be
// in a message, or one of those with a question mark, and none of those with a
// minus. Patterns over JSON, over fields between spaces and of regular
// expressions are not emulated, and refused as such.
// Source: "Filter pattern syntax" in the CloudWatch Logs user guide.
func parseLogPattern(pattern string) (func(string) bool, error) {
	rest := strings.TrimSpace(pattern)
	if strings.HasPrefix(rest, "{") || strings.HasPrefix(rest, "[") || strings.HasPrefix(rest, "%") {
		return nil, logsInvalid("The sandbox emulates filter patterns of plain terms only, not %s", pattern)
	}
	var all, either, none []string
	for rest != "" {
		m := logTerm().FindStringSubmatch(rest)
		if m == nil {
			return nil, logsInvalid("Invalid filter pattern. A term with other characters than letters, digits and underscores has to be in double quotes.")
		}
		rest = rest[len(m[0]):]
		term := m[2]
		if strings.HasPrefix(term, `"`) {
			term = unescapeTerm.Replace(term[1 : len(term)-1])
		}
		switch m[1] {
		case "?":
			either = append(either, term)
		case "-":
			none = append(none, term)
		default:
			all = append(all, term)
		}
	}
	if len(either) > 0 && len(all)+len(none) > 0 {
		return nil, logsInvalid("The sandbox does not emulate filter patterns that mix terms with and without a question mark.")
	}
	return func(message string) bool {
		has := func(term string) bool { return strings.Contains(message, term) }
		for _, term := range all {
			if !has(term) {
				return false
			}
		}
		for _, term := range none {
			if has(term) {
				return false
			}
		}
		for _, term := range either {
			if has(term) {
				return true
			}
		}
		return len(either) == 0
	}, nil
}

var unescapeTerm = strings.NewReplacer(`\"`, `"`, `\\`, `\`)
