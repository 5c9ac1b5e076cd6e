package exec

import (
	"errors"
	"strings"
	"testing"

	"gantry/internal/diagnose"
)

func TestClosedError(t *testing.T) {
	if err := closedError(" \r\n"); err != nil {
		t.Errorf("a plain end is %v", err)
	}
	for output, want := range map[string]string{
		"Your session timed out due to inactivity.":                                        "20 minutes",
		"Unable to start command: Failed to start pty: exec":                               "/bin/sh",
		"Encountered error while initiating handshake. Handshake timed out. Please ensure": "15 s",
		"KMSEncryption failed on client with status 2 error: x":                            "kms:GenerateDataKey",
		"Fetching data key failed: Unable to retrieve data key":                            "kms:Decrypt",
		"TargetNotConnectedException: internal error. Try again later":                     "ssmmessages",
		"a \x1b]0;title\x07new \u202eone":                                                  "a new one",
	} {
		var d *diagnose.Error
		err := closedError(output)
		if !errors.As(err, &d) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q became %v, want %q", output, err, want)
		}
	}
}

func TestSanitise(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                                  "plain",
		"two\r\n lines\t":                        "two lines",
		"\x1b[31mred\x1b[0m \x1b]52;c;AAAA\x07x": "red x",
		"a\x00b\x07c":                            "abc",
		"over\u202eride\u200b":                   "override",
		"bad \xff\xfe bytes":                     "bad bytes",
		"日本 ok":                                  "日本 ok",
	} {
		if got := sanitise(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if got := []rune(sanitise(strings.Repeat("é", 5000))); len(got) != maxReason+1 {
		t.Errorf("%d runes of a long text", len(got))
	}
}

func TestNewer(t *testing.T) {
	for _, c := range []struct {
		version, than string
		want          bool
	}{
		{"3.3.40.0", "3.1.1511.0", true},
		{"3.1.1511.0", "3.1.1511.0", false},
		{"3.1.1511.1", "3.1.1511.0", true},
		{"3.0.196.0", "3.1.1511.0", false},
		{"10.0", "9.9.9.9", true},
		{"", "3.0.196.0", false},
		{"x.y", "0.0", false},
	} {
		if got := newer(c.version, c.than); got != c.want {
			t.Errorf("newer(%q, %q) is %v", c.version, c.than, got)
		}
	}
}
