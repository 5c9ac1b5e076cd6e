package remote

import (
	"bytes"
	"testing"
)

// FuzzAnswer cuts output anywhere: what stands between the markers comes
// through, whatever it is.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte("hello\r\n"), uint8(3))
	f.Add([]byte("AB<1>AB[1:AB[1:AB\r"), uint8(1))
	f.Fuzz(func(t *testing.T, content []byte, step uint8) {
		s := &Shell{nonce: [2]string{"A", "B"}}
		if bytes.Contains(content, []byte("AB[1:")) {
			return // a nonce that nobody can guess
		}
		for _, crlf := range []bool{false, true} {
			s.crlf = crlf
			sent := content
			if crlf {
				sent = bytes.ReplaceAll(content, []byte("\n"), []byte("\r\n"))
			}
			var got bytes.Buffer
			a := s.answer(1, &got)
			text := bytes.Join([][]byte{[]byte("$ echo A B AB<0>AB<1>"), sent, []byte("AB[1:17]$ ")}, nil)
			for len(text) > 0 {
				n := min(int(step)+1, len(text))
				enough, err := a.take(text[:n])
				if err != nil {
					t.Fatal(err)
				}
				if text = text[n:]; enough {
					break
				}
			}
			if !a.done || a.status != 17 || !bytes.Equal(got.Bytes(), content) {
				t.Errorf("done %v, status %d, %q; want %q", a.done, a.status, got.Bytes(), content)
			}
		}
	})
}
