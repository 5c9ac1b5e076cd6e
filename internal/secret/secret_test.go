package secret

import (
	"slices"
	"testing"
)

func TestName(t *testing.T) {
	for name, want := range map[string]bool{
		"DB_PASSWORD": true, "apiKey": true, "AUTH": true, "GITHUB_TOKEN": true, "PRIVATE_PEM": true, "MY-KEY": true,
		"MONKEY": false, "PASSENGER": false, "PATH": false, "AUTHOR": false, "PORT": false, "": false,
	} {
		if got := Name(name); got != want {
			t.Errorf("Name(%q) = %v", name, got)
		}
	}
}

func TestAssignment(t *testing.T) {
	for in, want := range map[string]string{
		"PASSWORD=a b c":                    "PASSWORD=" + Masked,
		"PASSWORD=":                         "PASSWORD=",
		"PASSWORD":                          "PASSWORD",
		"PATH=/bin:/usr/bin":                "PATH=/bin:/usr/bin",
		"URL=postgres://me:hunter2@db/x":    "URL=" + Masked,
		"X=AKIAABCDEFGHIJKLMNOP":            "X=" + Masked,
		"JAVA_OPTS=-Dspring.profiles=local": "JAVA_OPTS=-Dspring.profiles=local",
	} {
		if got := Assignment(in); got != want {
			t.Errorf("Assignment(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"/bin/sh -c #(nop)  ENV TOKEN=abc":     "/bin/sh -c #(nop)  ENV TOKEN=" + Masked,
		"|1 SECRET=x /bin/sh -c make all":      "|1 SECRET=" + Masked + " /bin/sh -c make all",
		"RUN curl https://me:pw@example.com/x": "RUN curl " + Masked + "example.com/x",
		"COPY . /app":                          "COPY . /app",
	} {
		if got := Line(in); got != want {
			t.Errorf("Line(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestArguments(t *testing.T) {
	in := []string{"serve", "--password", "hunter2", "--token=abc", "--port", "80", "sh", "-c", "SECRET='a b' run"}
	want := []string{"serve", "--password", Masked, "--token=" + Masked, "--port", "80", "sh", "-c", "SECRET=" + Masked + " run"}
	if got := Arguments(in); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if in[2] != "hunter2" {
		t.Error("the caller's list was changed")
	}
}
