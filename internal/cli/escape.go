package cli

// escape finds the escapes that ssh has in what a user types: ~ at the
// beginning of a line, and then a dot to leave, a question mark for help, or
// another ~ for itself.
type escape struct {
	inLine bool // something stands before it in the line
	tilde  bool // held back until its follower is known
}

// escapeHelp is what ~? prints.
const escapeHelp = "\r\nEscapes, after enter:\r\n  ~.  leave, and end the shell\r\n  ~?  this help\r\n  ~~  type ~\r\n"

// typed is what a piece of keyboard input comes to.
type typed struct {
	text  []byte // to be sent
	help  bool
	leave bool // nothing behind it counts
}

// read looks at the next input.
func (e *escape) read(input []byte) typed {
	t := typed{text: make([]byte, 0, len(input)+1)}
	for _, b := range input {
		if e.tilde {
			e.tilde = false
			switch b {
			case '.':
				t.leave = true
				return t
			case '?':
				t.help = true
				continue
			case '~':
			default:
				t.text = append(t.text, '~')
			}
		} else if b == '~' && !e.inLine {
			e.tilde = true
			continue
		}
		t.text = append(t.text, b)
		e.inLine = b != '\r' && b != '\n'
	}
	return t
}
