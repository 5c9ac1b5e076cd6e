package docker

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

const heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

func tcpLine(local, state string) string {
	return "   0: " + local + " 00000000:0000 " + state + " 00000000:00000000 00:00000000 00000000     0        0 19723 1 0000000000000000 100 0 0 10 0\n"
}

func TestParseTables(t *testing.T) {
	const zeros = "00000000000000000000000000000000"
	for _, tt := range []struct {
		name   string
		tables map[string]string
		want   string
	}{
		{"nothing", nil, ""},
		{"empty tables", map[string]string{"tcp": heading, "tcp6": heading}, ""},
		{"loopback", map[string]string{"tcp": heading + tcpLine("0100007F:1F90", "0A")}, "tcp 127.0.0.1:8080"},
		{"everywhere", map[string]string{"tcp": heading + tcpLine("00000000:0050", "0A")}, "tcp 0.0.0.0:80"},
		{"everywhere, v6", map[string]string{"tcp": heading, "tcp6": heading + tcpLine(zeros+":1F90", "0A")}, "tcp [::]:8080"},
		{"loopback, v6", map[string]string{"tcp6": heading + tcpLine("00000000000000000000000001000000:1F90", "0A")}, "tcp [::1]:8080"},
		{"v4 in v6", map[string]string{"tcp6": heading + tcpLine("0000000000000000FFFF00000100007F:1F9C", "0A")}, "tcp 127.0.0.1:8092"},
		{"its own address", map[string]string{"tcp": heading + tcpLine("020011AC:1F90", "0A")}, "tcp 172.17.0.2:8080"},
		{"connections do not count", map[string]string{"tcp": heading + tcpLine("0100007F:1F90", "01") + tcpLine("0100007F:1F91", "06")}, ""},
		{"udp", map[string]string{"udp": heading + tcpLine("00000000:0035", "07")}, "udp 0.0.0.0:53"},
		{"the same twice", map[string]string{"tcp": heading + tcpLine("00000000:0050", "0A") + tcpLine("00000000:0050", "0A")}, "tcp 0.0.0.0:80"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sockets, err := parseTables(tt.tables)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]string, 0, len(sockets))
			for _, s := range sockets {
				got = append(got, s.Proto+" "+s.Addr.String())
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestParseTablesRefusesNonsense(t *testing.T) {
	for _, line := range []string{"x\n", tcpLine("0100007F", "0A"), tcpLine("0100:1F90", "0A"), tcpLine("zz00007F:1F90", "0A"), tcpLine("0100007F:1F9000", "0A")} {
		if _, err := parseTables(map[string]string{"tcp": heading + line}); !errors.Is(err, errTable) {
			t.Errorf("%q: error = %v", line, err)
		}
	}
}

func FuzzParseTables(f *testing.F) {
	f.Add(heading + tcpLine("0100007F:1F90", "0A"))
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := parseTables(map[string]string{"tcp": text, "tcp6": text, "udp": text}); err != nil && !errors.Is(err, errTable) {
			t.Error(err)
		}
	})
}

func sockets(addresses ...string) []Socket {
	list := []Socket{}
	for _, a := range addresses {
		list = append(list, Socket{netip.MustParseAddrPort(a), "tcp"})
	}
	return list
}

func TestVerdict(t *testing.T) {
	own := []netip.Addr{netip.MustParseAddr("172.17.0.2")}
	port := Port{Host: 8080, Container: 8080, Proto: "tcp"}
	for _, tt := range []struct {
		name    string
		sockets []Socket
		want    Verdict
	}{
		{"everywhere", sockets("0.0.0.0:8080"), ListenOK},
		{"everywhere by v6", sockets("[::]:8080"), ListenOK},
		{"own address", sockets("172.17.0.2:8080"), ListenOK},
		{"somebody else's address", sockets("10.9.9.9:8080"), ListenLoopback},
		{"loopback", sockets("127.0.0.1:8080"), ListenLoopback},
		{"loopback by v6", sockets("[::1]:8080"), ListenLoopback},
		{"both", sockets("127.0.0.1:8080", "0.0.0.0:8080"), ListenOK},
		{"other port", sockets("0.0.0.0:9090"), ListenOther},
		{"other port on loopback", sockets("127.0.0.1:9090"), ListenOther},
		{"nothing", sockets(), ListenNotYet},
		{"the engine's resolver does not count", sockets("127.0.0.11:40123"), ListenNotYet},
		{"udp does not count", []Socket{{netip.MustParseAddrPort("0.0.0.0:8080"), "udp"}}, ListenNotYet},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := verdict(port, tt.sockets, own); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	port := Port{HostIP: "0.0.0.0", Host: 8080, Container: 8080, Proto: "tcp"}
	spring := DetectStack(StackHints{Command: []string{"java", "-jar", "/app.jar"}})
	for _, tt := range []struct {
		name          string
		sockets       []Socket
		cause, remedy string
	}{
		{"loopback", sockets("127.0.0.1:8080"), "curl: (56) Recv failure: Connection reset by peer: the app listens on 127.0.0.1:8080", "SERVER_ADDRESS=0.0.0.0"},
		{"other", sockets("0.0.0.0:9090"), "listens on port 9090, and 8080 was published", "-p 0.0.0.0:8080:9090"},
		{"other on loopback", sockets("127.0.0.1:9090"), "on 127.0.0.1 besides", "SERVER_ADDRESS=0.0.0.0"},
		{"reachable ones first", sockets("127.0.0.1:7000", "0.0.0.0:9090"), "port 9090", ":9090"},
		{"not yet", sockets(), "nothing listens on port 8080", "wait"},
		{"unknown", nil, "cannot be seen from here", "helper container"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := Listen{Container: "web", Stack: spring, Ports: []PortListen{{Port: port}}}
			l.judge(tt.sockets, listenTarget{})
			told := l.Explain()
			if told == nil || !strings.Contains(told.Cause, tt.cause) || !strings.Contains(told.Do, tt.remedy) {
				t.Errorf("got %v, want %q and %q", told, tt.cause, tt.remedy)
			}
		})
	}
	l := Listen{Ports: []PortListen{{Port: port}}}
	l.judge(sockets("0.0.0.0:8080"), listenTarget{})
	if l.Explain() != nil || l.Worst() != ListenOK || !l.Settled() {
		t.Errorf("nothing is wrong, but %+v", l)
	}
}

func TestDetectStack(t *testing.T) {
	for _, tt := range []struct {
		name       string
		hints      StackHints
		want, does string
	}{
		{"Spring by its jar", StackHints{Command: []string{"java", "-jar", "/app.jar"}}, "Spring Boot", "SERVER_ADDRESS=0.0.0.0"},
		{"Spring, told to listen on the loopback", StackHints{Env: []string{"SERVER_ADDRESS=127.0.0.1"}}, "Spring Boot", "SERVER_ADDRESS=0.0.0.0"},
		{"plain Java", StackHints{Image: "eclipse-temurin:21", Command: []string{"java", "Main"}}, "Java", "0.0.0.0"},
		{"Quarkus", StackHints{Command: []string{"java", "-jar", "quarkus-run.jar"}}, "Quarkus", "QUARKUS_HTTP_HOST"},
		{"Node", StackHints{Image: "web", Command: []string{"docker-entrypoint.sh", "node", "server.js"}, Env: []string{"NODE_VERSION=22"}}, "Node.js", "'0.0.0.0'"},
		{"Vite", StackHints{Command: []string{"npx", "vite"}, Env: []string{"NODE_VERSION=22"}}, "Vite", "--host 0.0.0.0"},
		{"Next", StackHints{Command: []string{"next", "start"}}, "Next.js", "-H 0.0.0.0"},
		{"Flask", StackHints{Command: []string{"flask", "run"}, Env: []string{"PYTHON_VERSION=3"}}, "Flask", "--host=0.0.0.0"},
		{"Django", StackHints{Command: []string{"python", "manage.py", "runserver"}}, "Django", "runserver 0.0.0.0:8080"},
		{"uvicorn with the address in its command", StackHints{Command: []string{"uvicorn", "main:app", "--host=127.0.0.1"}}, "uvicorn", "--host=0.0.0.0"},
		{"gunicorn", StackHints{Command: []string{"gunicorn", "-b", "127.0.0.1:8000", "app"}}, "gunicorn", "0.0.0.0:8000"},
		{"Rails", StackHints{Command: []string{"bin/rails", "server"}}, "Rails", "-b 0.0.0.0"},
		{"ASP.NET", StackHints{Env: []string{"ASPNETCORE_URLS=http://localhost:8080"}}, "ASP.NET Core", "http://0.0.0.0:8080"},
		{"Go", StackHints{Image: "golang:1.26", Command: []string{"go", "run", "."}}, "Go", `":8080"`},
		{"another server's host is not ours", StackHints{Image: "x", Env: []string{"DB_HOST=localhost"}}, "", "listen on 0.0.0.0"},
		{"a registry's name says nothing", StackHints{Image: "node.example.com:5000/thing:go"}, "", "listen on 0.0.0.0"},
		{"nothing known", StackHints{}, "", "listen on 0.0.0.0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := DetectStack(tt.hints)
			if s.Name != tt.want || !strings.Contains(s.Fix(8080), tt.does) {
				t.Errorf("got %q: %q, want %q: %q", s.Name, s.Fix(8080), tt.want, tt.does)
			}
		})
	}
}
