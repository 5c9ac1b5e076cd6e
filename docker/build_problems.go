package docker

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"gantry/internal/pattern"
)

// A Dockerfile knows a comment only at the start of a line, and only ASCII
// blanks between words. Both mistakes often build, into something else:
// ENTRYPOINT ["x"] # y becomes a shell command, ARG takes further names.
// https://docs.docker.com/reference/dockerfile/#format

// wordInstructions take words; the others take a shell command unless it is
// written as a JSON list.
var wordInstructions = map[string]bool{
	"FROM": true, "ARG": true, "COPY": true, "ADD": true, "WORKDIR": true, "USER": true, "EXPOSE": true,
	"VOLUME": true, "STOPSIGNAL": true, "ENV": true, "LABEL": true,
	"RUN": false, "CMD": false, "ENTRYPOINT": false, "SHELL": false, "HEALTHCHECK": false, "ONBUILD": false, "MAINTAINER": false,
}

var hereDocument = pattern.Late(`<<-?["']?([A-Za-z_]\w*)["']?`)

// scan walks the lines of a Dockerfile as its parser does.
type scan struct {
	keyword   string // the instruction that a continued line belongs to
	words     bool   // it takes words, or a JSON list
	continued bool
	here      []string // delimiters of the here-documents that are open
	escape    string
}

// problems finds comments behind instructions and blanks that are none.
func problems(data []byte) []DockerfileProblem {
	s := scan{escape: `\`}
	if bytes.Contains(data, []byte("escape=`")) {
		s.escape = "`"
	}
	var found []DockerfileProblem
	for _, line := range sourceLines(data, 1, maxDockerfile, 0) {
		if !s.next(line.Text) {
			continue
		}
		line.Marked = true
		if p, bad := s.judge(line); bad {
			found = append(found, p)
		}
	}
	return found
}

// next moves on by a line, and reports whether it is part of an instruction.
func (s *scan) next(text string) bool {
	trimmed := strings.TrimSpace(text)
	if len(s.here) > 0 {
		if strings.TrimLeft(text, "\t") == s.here[0] {
			s.here = s.here[1:]
		}
		return false
	}
	if trimmed == "" || strings.HasPrefix(trimmed, "#") {
		return false
	}
	if !s.continued {
		s.begin(trimmed)
	}
	s.continued = strings.HasSuffix(trimmed, s.escape)
	if s.keyword == "RUN" || s.keyword == "COPY" || s.keyword == "ADD" {
		for _, m := range hereDocument().FindAllStringSubmatch(text, -1) {
			s.here = append(s.here, m[1])
		}
	}
	return true
}

// begin reads the keyword of a new instruction.
func (s *scan) begin(trimmed string) {
	end := strings.IndexFunc(trimmed, unicode.IsSpace)
	if end < 0 {
		end = len(trimmed)
	}
	s.keyword = strings.ToUpper(trimmed[:end])
	s.words = wordInstructions[s.keyword] || strings.HasPrefix(strings.TrimSpace(trimmed[end:]), "[")
}

// judge looks at one line of an instruction.
func (s *scan) judge(line SourceLine) (DockerfileProblem, bool) {
	comment, blank := suspects(line.Text)
	if !s.words {
		comment = -1 // a comment of the shell's
	}
	switch {
	case comment < 0 && blank < 0:
		return DockerfileProblem{}, false
	case comment < 0:
		name := blankName(line.Text[blank:])
		return DockerfileProblem{
			Line: line,
			What: fmt.Sprintf("a %s stands where a plain blank belongs; it is taken as part of a word", name),
			Do:   "replace it: " + strings.TrimSpace(strings.Map(plainBlank, line.Text)),
		}, true
	}
	p := DockerfileProblem{Line: line, What: s.commentEffect()}
	if blank >= 0 && blank < comment {
		p.What += fmt.Sprintf(" (a %s stands before it)", blankName(line.Text[blank:]))
	}
	p.Do = "put the comment on a line of its own and leave: " + strings.TrimSpace(strings.Map(plainBlank, line.Text[:comment]))
	return p, true
}

func (s *scan) commentEffect() string {
	if wordInstructions[s.keyword] {
		return "the comment behind " + s.keyword + " is read as its arguments"
	}
	return "the comment behind " + s.keyword + " turns the JSON list into a shell command"
}

// suspects finds, outside quotes, where a comment starts and where the first
// blank stands that a Dockerfile does not take as one; -1 for none.
func suspects(text string) (comment, blank int) {
	comment, blank = -1, -1
	var quote rune
	before := 'x'
	for i, r := range text {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'':
			quote = r
		case (r == '#' || r == '＃') && unicode.IsSpace(before):
			return i, blank
		case plainBlank(r) != r && blank < 0:
			blank = i
		}
		before = r
	}
	return comment, blank
}

// plainBlank maps blanks that only look like one to one.
func plainBlank(r rune) rune {
	if r > unicode.MaxASCII && unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff' {
		return ' '
	}
	return r
}

func blankName(at string) string {
	switch r, _ := utf8.DecodeRuneInString(at); r {
	case '\u3000':
		return "full-width blank (U+3000)"
	case '\u00a0':
		return "no-break space (U+00A0)"
	default:
		return fmt.Sprintf("Unicode blank (%U)", r)
	}
}
