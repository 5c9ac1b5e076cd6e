package screen

import (
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/ansi/parser"
)

// sgrParams reads the numbers of an SGR sequence as ansi.Parser does, so that
// a style comes out the same on either way.
func sgrParams(digits []byte) ansi.Params {
	var params ansi.Params
	n, some := parser.MissingParam, false
	for _, b := range digits {
		if b == ';' || b == ':' {
			if b == ':' {
				n |= parser.HasMoreFlag
			}
			params = append(params, ansi.Param(n))
			n, some = parser.MissingParam, true
			continue
		}
		if n == parser.MissingParam {
			n = 0
		}
		n, some = min(n*10+int(b-'0'), maxCount), true
	}
	if some {
		params = append(params, ansi.Param(n))
	}
	return params
}
