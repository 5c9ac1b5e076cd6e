package cli

import (
	"bytes"
	"testing"
)

func TestEscape(t *testing.T) {
	for name, tt := range map[string]struct {
		input  []string
		sent   string
		helped int
		left   bool
	}{
		"plain":            {[]string{"ls -l\r"}, "ls -l\r", 0, false},
		"at once":          {[]string{"~."}, "", 0, true},
		"after a line":     {[]string{"ls\r~."}, "ls\r", 0, true},
		"after a newline":  {[]string{"ls\n~."}, "ls\n", 0, true},
		"within a line":    {[]string{"ls ~.\r"}, "ls ~.\r", 0, false},
		"in pieces":        {[]string{"\r", "~", "."}, "\r", 0, true},
		"itself":           {[]string{"~~/x\r"}, "~/x\r", 0, false},
		"itself, no more":  {[]string{"~~."}, "~.", 0, false},
		"home":             {[]string{"~/x\r"}, "~/x\r", 0, false},
		"home in pieces":   {[]string{"~", "/x\r"}, "~/x\r", 0, false},
		"before a newline": {[]string{"~\r~."}, "~\r", 0, true},
		"help":             {[]string{"~?ls\r", "~?"}, "ls\r", 2, false},
		"help, then leave": {[]string{"~?~."}, "", 1, true},
		"nothing behind":   {[]string{"~.rm -rf /\r"}, "", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			var e escape
			var sent bytes.Buffer
			helped, left := 0, false
			for _, input := range tt.input {
				got := e.read([]byte(input))
				sent.Write(got.text)
				left = left || got.leave
				if got.help {
					helped++
				}
			}
			if sent.String() != tt.sent || helped != tt.helped || left != tt.left {
				t.Errorf("sent %q, helped %d times, left %v; want %q, %d, %v", sent.String(), helped, left, tt.sent, tt.helped, tt.left)
			}
		})
	}
}

func FuzzEscape(f *testing.F) {
	f.Add([]byte("ls\r~.~?~~"))
	f.Fuzz(func(t *testing.T, input []byte) {
		var whole, pieces escape
		all := whole.read(input)
		var sent []byte
		left := false
		for i := range input {
			if got := pieces.read(input[i : i+1]); !left {
				sent = append(sent, got.text...)
				left = got.leave
			}
		}
		if !bytes.Equal(sent, all.text) || left != all.leave {
			t.Errorf("byte by byte %q %v, at once %q %v", sent, left, all.text, all.leave)
		}
	})
}

func TestParseSide(t *testing.T) {
	for text, want := range map[string]string{
		"shop/7f3a:/etc/hosts":         "shop 7f3a /etc/hosts",
		"shop/7f3a/app:a:b":            "shop 7f3a/app a:b",
		"shop/web/7f3a/app:":           "shop web/7f3a/app ",
		"a/b/c/d/e:x":                  "",
		"./dir/file:x":                 "",
		"../dir:x":                     "",
		"/abs/path:x":                  "",
		"file":                         "",
		"file:x":                       "",
		`C:\dir\file`:                  "",
		"C:/dir/file":                  "",
		"shop/:x":                      "",
		"shop//x:y":                    "",
		"arn:aws:ecs:us-east-1:1:x":    "",
		"arn:aws:ecs:eu:1:task/7f3a:x": "",
		"arn:aws:ecs:us-east-1:000000000000:task/shop/7f3a:/x:y":   "shop 7f3a /x:y",
		"arn:aws:ecs:us-east-1:000000000000:task/shop/7f3a/app:/x": "shop 7f3a/app /x",
	} {
		got := ""
		if s, ok := parseSide(text); ok {
			got = s.cluster
			for i, name := range s.rest {
				got += []string{" ", "/", "/"}[i] + name
			}
			got += " " + s.path
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestParseRemote(t *testing.T) {
	for text, want := range map[string]struct {
		host string
		port int
	}{
		"80": {"", 80}, "db.internal:5432": {"db.internal", 5432}, "[::1]:1": {"::1", 1},
		"": {}, "0": {}, "65536": {}, "-1": {}, "http": {}, ":80": {}, "a:b": {}, "::1": {}, "a:": {},
	} {
		host, port, err := parseRemote(text)
		if (err == nil) != (want.port != 0) || err == nil && (host != want.host || port != want.port) {
			t.Errorf("%q: %q %d %v", text, host, port, err)
		}
	}
}
