package docker

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

func TestContainerRow(t *testing.T) {
	for status, want := range map[string]struct {
		health string
		code   int
	}{
		"Up 3 minutes":                           {"", 0},
		"Up 3 minutes (healthy)":                 {"healthy", 0},
		"Up 3 minutes (unhealthy)":               {"unhealthy", 0},
		"Up 1 second (health: starting)":         {"starting", 0},
		"Up 2 hours (Paused)":                    {"", 0},
		"Exited (137) 2 hours ago":               {"", 137},
		"Restarting (1) Less than a second ago":  {"", 1},
		"Exited (99999999999999999999) just now": {"", 0},
		"Created":                                {"", 0},
		"":                                       {"", 0},
	} {
		row := containerRow(container.Summary{Status: status, Names: []string{"/other/db", "/web"}})
		if row.Health != want.health || row.ExitCode != want.code || row.Name != "web" {
			t.Errorf("%q: health %q, exit code %d, name %q", status, row.Health, row.ExitCode, row.Name)
		}
	}
	if row := containerRow(container.Summary{Status: "Up", Health: &container.HealthSummary{Status: container.Unhealthy}}); row.Health != "unhealthy" {
		t.Errorf("the engine's own word for health was not taken: %q", row.Health)
	}
}

func TestPublications(t *testing.T) {
	everywhere, everywhere6, loopback := netip.MustParseAddr("0.0.0.0"), netip.MustParseAddr("::"), netip.MustParseAddr("127.0.0.1")
	got := publications([]container.PortSummary{
		{PrivatePort: 9000, Type: "tcp"},
		{IP: everywhere6, PrivatePort: 80, PublicPort: 8080, Type: "tcp"},
		{IP: everywhere, PrivatePort: 80, PublicPort: 8080, Type: "tcp"},
		{IP: loopback, PrivatePort: 53, PublicPort: 5353, Type: "udp"},
	})
	var text []string
	for _, p := range got {
		text = append(text, p.String())
	}
	want := []string{"127.0.0.1:5353->53/udp", "0.0.0.0:8080->80/tcp", "9000/tcp"}
	if !slices.Equal(text, want) {
		t.Errorf("got %q", text)
	}
}

func TestParsePort(t *testing.T) {
	for text, want := range map[string]Port{
		"80":                  {Container: 80, Proto: "tcp"},
		"8080:80":             {Host: 8080, Container: 80, Proto: "tcp"},
		"127.0.0.1:8080:80":   {HostIP: "127.0.0.1", Host: 8080, Container: 80, Proto: "tcp"},
		"127.0.0.1::80":       {HostIP: "127.0.0.1", Container: 80, Proto: "tcp"},
		"[::1]:8080:80/udp":   {HostIP: "::1", Host: 8080, Container: 80, Proto: "udp"},
		"\t8080:80/tcp\n":     {Host: 8080, Container: 80, Proto: "tcp"},
		"0.0.0.0:8080:80/tcp": {HostIP: "0.0.0.0", Host: 8080, Container: 80, Proto: "tcp"},
	} {
		got, err := ParsePort(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		again, err := ParsePort(got.spec())
		if err != nil || again != got {
			t.Errorf("%q becomes %q, which reads as %+v, %v", text, got.spec(), again, err)
		}
	}
	for _, text := range []string{"", "x", "0", "70000", "8080:", ":80:", "8080:80/icmp", "example.com:80:80", "8000-8010:80", "１:80", "1:2:3:4"} {
		if p, err := ParsePort(text); err == nil {
			t.Errorf("%q was taken as %+v", text, p)
		} else {
			told(t, err, ErrInvalid, "HOST:CONTAINER")
		}
	}
}

func FuzzParsePort(f *testing.F) {
	f.Add("127.0.0.1:8080:80/tcp")
	f.Add("[::1]:1:2")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePort(text)
		if err != nil {
			return
		}
		if again, err := ParsePort(p.spec()); err != nil || again != p {
			t.Errorf("%q is %+v, but %q is %+v, %v", text, p, p.spec(), again, err)
		}
	})
}

func TestBoundPorts(t *testing.T) {
	got := bound(network.PortMap{
		network.MustParsePort("80/tcp"):   {{HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: "8080"}},
		network.MustParsePort("9000/tcp"): nil,
	})
	want := []Port{{HostIP: "127.0.0.1", Host: 8080, Container: 80, Proto: "tcp"}, {Container: 9000, Proto: "tcp"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestExitMeaning(t *testing.T) {
	for code, want := range map[int]string{
		0: "ended well", 1: "the program failed", 127: "the command does not exist", 129: "ended by SIGHUP",
		139: "the program crashed (SIGSEGV)", 143: "asked to end (SIGTERM), as docker stop does", 192: "ended by signal 64", 255: "the program said 255", 42: "the program said 42",
	} {
		if got := ExitMeaning(code, false); got != want {
			t.Errorf("%d: %q", code, got)
		}
	}
	if got := ExitMeaning(137, true); got != "out of memory: killed by the kernel" {
		t.Errorf("137 by the kernel: %q", got)
	}
}

func TestSplitCommand(t *testing.T) {
	for text, want := range map[string][]string{
		"":                       nil,
		"  ls  -l\t/ ":           {"ls", "-l", "/"},
		`sh -c 'echo "a b"'`:     {"sh", "-c", `echo "a b"`},
		`a"b c"'d e'f`:           {"ab cd ef"},
		`a\ b \\ "\$x \n \" \\"`: {"a b", `\`, `$x \n " \`},
		`'' ""`:                  {"", ""},
		"echo 日本　語":              {"echo", "日本　語"},
	} {
		got, err := SplitCommand(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{`'a`, `"a`, `a\`} {
		if got, err := SplitCommand(text); err == nil {
			t.Errorf("%q was taken as %q", text, got)
		}
	}
}

func TestDocumentHidesSecrets(t *testing.T) {
	tree, err := document([]byte(`{"Size":12345678901234567,"Ratio":0.5,"Config":{"Env":["PASSWORD=a b","PATH=/bin"],"Cmd":["x","--token","abc"],
		"Labels":{"api_key":"k","team":"web"},"Healthcheck":{"Test":["CMD-SHELL","curl -u x --password=y localhost"]}},
		"HostConfig":{"LogConfig":{"Type":"splunk","Config":{"splunk-token":"t","splunk-url":"https://x"}}},"Url":"postgres://me:pw@db/x"}`))
	if err != nil {
		t.Fatal(err)
	}
	root := tree.(map[string]any)
	config := root["Config"].(map[string]any)
	if root["Size"] != int64(12345678901234567) || root["Ratio"] != 0.5 {
		t.Errorf("numbers: %v %v", root["Size"], root["Ratio"])
	}
	text := flat(tree)
	for _, hidden := range []string{"a b", "abc", "=y", "me:pw"} {
		if slices.ContainsFunc(text, func(s string) bool { return s == hidden || len(hidden) > 2 && strings.Contains(s, hidden) }) {
			t.Errorf("%q is shown", hidden)
		}
	}
	labels := config["Labels"].(map[string]any)
	if labels["api_key"] == "k" || labels["team"] != "web" {
		t.Errorf("labels: %v", labels)
	}
	options := root["HostConfig"].(map[string]any)["LogConfig"].(map[string]any)["Config"].(map[string]any)
	if options["splunk-token"] == "t" || options["splunk-url"] != "https://x" {
		t.Errorf("log options: %v", options)
	}
}
