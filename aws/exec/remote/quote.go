package remote

import (
	"fmt"
	"path"
	"strings"

	"gantry/internal/diagnose"
)

// maxEscaped keeps the lines for the loop below 1,000 bytes.
const maxEscaped = 900

// escape writes the beginning of text as a format for printf, in printable
// ASCII without quotes, and tells how much of text that is.
func escape(text string) (format string, n int) {
	var b strings.Builder
	for n < len(text) && b.Len() < maxEscaped {
		appendEscaped(&b, text[n])
		n++
	}
	return b.String(), n
}

// appendEscaped also escapes the minus sign, or a format might begin like an
// option.
func appendEscaped(b *strings.Builder, c byte) {
	if c < ' ' || c > '~' || strings.IndexByte(`%\'-`, c) >= 0 {
		fmt.Fprintf(b, `\%03o`, c)
		return
	}
	b.WriteByte(c)
}

// quote makes one word of a shell script from any text without a NUL.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// remotePath makes a path that no tool takes for an option, and that has a
// slash in it.
func remotePath(name string) (string, error) {
	if name == "" || strings.IndexByte(name, 0) >= 0 {
		return "", &diagnose.Error{What: fmt.Sprintf("%q is not a path in a container", name), Do: "name a file or folder"}
	}
	slash := strings.HasSuffix(name, "/")
	clean := path.Clean(name)
	if !strings.HasPrefix(clean, "/") {
		clean = "./" + clean
	}
	if slash && clean != "/" {
		clean += "/"
	}
	return clean, nil
}
