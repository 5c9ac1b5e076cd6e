package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// collected are the lines of a log.
func collected(t testing.TB, c *Client, id string, o LogOptions) []LogLine {
	t.Helper()
	var all []LogLine
	if err := c.Logs(t.Context(), id, o, func(lines []LogLine) { all = append(all, lines...) }); err != nil {
		t.Fatal(err)
	}
	return all
}

func texts(lines []LogLine) []string {
	out := make([]string, 0, len(lines))
	for _, l := range lines {
		out = append(out, l.Text)
	}
	return out
}

// shellRan runs a shell command in a container to its end.
func shellRan(t testing.TB, c *Client, image, script string, host container.HostConfig) string {
	t.Helper()
	return shellEnded(t, c, container.Config{Image: image, Cmd: []string{"sh", "-c", script}}, host)
}

func shellEnded(t testing.TB, c *Client, config container.Config, host container.HostConfig) string {
	t.Helper()
	id := launched(t, c, config, host)
	wait := c.engineOf(t).ContainerWait(t.Context(), id, client.ContainerWaitOptions{})
	select {
	case <-wait.Result:
	case err := <-wait.Error:
		t.Fatal(err)
	}
	return id
}

func TestLogs(t *testing.T) {
	noLeaks(t)
	c := live(t)
	image := busybox(t, c)
	begun := time.Now()
	id := shellRan(t, c, image, `echo one; echo two >&2; printf 'three\n\nfive'`, container.HostConfig{})
	all := collected(t, c, id, LogOptions{})
	if len(all) != 5 { // their order is the engine's: it reads the two streams side by side
		t.Fatalf("got %q", texts(all))
	}
	for _, l := range all {
		if l.At.Before(begun.Add(-time.Minute)) || l.At.After(time.Now().Add(time.Minute)) || l.Partial {
			t.Errorf("line %+v", l)
		}
		if want := (l.Text == "two"); (l.Stream == Stderr) != want {
			t.Errorf("%q came from %s", l.Text, l.Stream)
		}
	}
	for name, o := range map[string]LogOptions{"one|three||five": {Only: Stdout}, "two": {Only: Stderr}} {
		if got := strings.Join(texts(collected(t, c, id, o)), "|"); got != name {
			t.Errorf("%+v: %q, want %q", o, got, name)
		}
	}
	out := collected(t, c, id, LogOptions{Only: Stdout})
	if got := collected(t, c, id, LogOptions{Only: Stdout, Since: out[3].At}); len(got) != 1 || got[0].Text != "five" {
		t.Errorf("since the last line: %v", texts(got))
	}
	if got := collected(t, c, id, LogOptions{Only: Stdout, Until: out[1].At}); len(got) != 2 || got[1].Text != "three" {
		t.Errorf("until the second line: %v", texts(got))
	}
	if got := collected(t, c, id, LogOptions{Tail: 2}); len(got) != 2 || got[1].Text != all[4].Text {
		t.Errorf("tail 2: %v", texts(got))
	}
	if got := collected(t, c, id, LogOptions{Limit: 2}); len(got) != 2 || got[0].Text != all[0].Text {
		t.Errorf("limit 2: %v", texts(got))
	}
}

func TestLogsFollow(t *testing.T) {
	noLeaks(t)
	c := live(t)
	image := busybox(t, c)
	for _, tty := range []bool{false, true} {
		t.Run(fmt.Sprintf("terminal %v", tty), func(t *testing.T) {
			id := launched(t, c, container.Config{Image: image, Tty: tty, Cmd: []string{"sh", "-c", "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.05; done"}}, container.HostConfig{})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			seen := 0
			err := c.Logs(ctx, id, LogOptions{Follow: true}, func(lines []LogLine) {
				for _, l := range lines {
					if want := fmt.Sprintf("line %d", seen); l.Text != want || l.At.IsZero() {
						t.Errorf("got %q at %v, want %q", l.Text, l.At, want)
					}
					if seen++; seen == 5 {
						cancel()
					}
				}
			})
			if err != nil || seen < 5 {
				t.Errorf("%d lines, %v", seen, err)
			}
		})
	}
	t.Run("until the container ends", func(t *testing.T) {
		id := launched(t, c, container.Config{Image: image, Cmd: []string{"sh", "-c", "echo a; sleep 0.2; echo b"}}, container.HostConfig{})
		if got := texts(collected(t, c, id, LogOptions{Follow: true})); strings.Join(got, "") != "ab" {
			t.Errorf("got %v", got)
		}
	})
}

func TestLogsOfWildOutput(t *testing.T) {
	c := live(t)
	image := busybox(t, c)
	for _, tty := range []bool{false, true} {
		t.Run(fmt.Sprintf("terminal %v", tty), func(t *testing.T) {
			script := `echo begin; head -c 1000000 /dev/zero | tr '\0' x; echo; head -c 300000 /dev/urandom; echo; echo end`
			id := shellEnded(t, c, container.Config{Image: image, Tty: tty, Cmd: []string{"sh", "-c", script}}, container.HostConfig{})
			all := collected(t, c, id, LogOptions{})
			if all[0].Text != "begin" || all[len(all)-1].Text != "end" {
				t.Errorf("from %.20q to %.20q", all[0].Text, all[len(all)-1].Text)
			}
			size := 0
			for i, l := range all[1:] {
				if len(l.Text) > maxPiece {
					t.Errorf("a piece of %d bytes", len(l.Text))
				}
				if strings.Trim(l.Text, "x") != "" {
					t.Fatalf("piece %d holds something else: %.60q", i, strings.Trim(l.Text, "x"))
				}
				if size += len(l.Text); !l.Partial {
					break
				}
			}
			if size != 1_000_000 {
				t.Errorf("the long line has %d bytes", size)
			}
		})
	}
}

func TestOlderLogs(t *testing.T) {
	c := live(t)
	id := shellRan(t, c, busybox(t, c), `i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done`, container.HostConfig{})
	last := collected(t, c, id, LogOptions{Tail: 100})
	page, err := c.OlderLogs(t.Context(), id, LogPage{Before: last[0].At, Loaded: len(last), Lines: 200}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	if len(page) != 200 || page[0].Text != "2700" || page[199].Text != "2899" {
		t.Errorf("%d lines from %s to %s", len(page), page[0].Text, page[len(page)-1].Text)
	}
	// With a wrong idea of what is there it still finds the lines.
	page, err = c.OlderLogs(t.Context(), id, LogPage{Before: page[0].At, Loaded: 0, Lines: 50}, func(int) {})
	if err != nil || len(page) != 50 || page[49].Text != "2699" {
		t.Errorf("%v, %v", texts(page), err)
	}
	first := collected(t, c, id, LogOptions{Limit: 20})
	page, err = c.OlderLogs(t.Context(), id, LogPage{Before: first[10].At, Loaded: 2990, Lines: 500}, func(int) {})
	if err != nil || len(page) != 10 || page[0].Text != "0" {
		t.Errorf("at the start: %v, %v", texts(page), err)
	}
	page, err = c.OlderLogs(t.Context(), id, LogPage{Before: first[0].At, Loaded: 3000, Lines: 500}, func(int) {})
	if err != nil || len(page) != 0 {
		t.Errorf("before the start: %v, %v", texts(page), err)
	}
}

func TestLogSource(t *testing.T) {
	c := live(t)
	image := busybox(t, c)
	for _, tt := range []struct {
		name     string
		config   container.LogConfig
		readable bool
		path     string
		says     string
	}{
		{"json-file", container.LogConfig{Type: "json-file"}, true, "-json.log", "no rotation: "},
		{"json-file, rotated", container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "10m", "max-file": "3"}}, true, "-json.log", "rotates at 10.49MB, 3 files"},
		{"local", container.LogConfig{Type: "local"}, true, "/local-logs/container.log", "rotates at 20.97MB, 5 files"},
		{"gelf", container.LogConfig{Type: "gelf", Config: map[string]string{"gelf-address": "udp://127.0.0.1:12201"}}, true, "/container-cached.log", "copy of what goes to udp://127.0.0.1:12201"},
		{"gelf without a copy", container.LogConfig{Type: "gelf", Config: map[string]string{"gelf-address": "udp://127.0.0.1:12201", "cache-disabled": "true"}}, false, "", "keeps no copy"},
		{"none", container.LogConfig{Type: "none"}, false, "", "nothing is kept"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id := shellRan(t, c, image, "echo hello", container.HostConfig{LogConfig: tt.config})
			s, err := c.LogSource(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if s.Readable != tt.readable || !strings.HasSuffix(s.Path, tt.path) || !strings.Contains(s.String(), tt.says) {
				t.Errorf("%s\n%+v", s, s)
			}
			if _, err := os.Stat(s.Path); os.Geteuid() == 0 && tt.path != "" && err != nil {
				t.Errorf("the path does not exist: %v", err)
			}
			if os.Geteuid() == 0 && tt.path != "" && s.Size <= 0 {
				t.Errorf("size = %d", s.Size)
			}
			var all []LogLine
			err = c.Logs(t.Context(), id, LogOptions{}, func(lines []LogLine) { all = append(all, lines...) })
			if tt.readable && (err != nil || strings.Join(texts(all), "") != "hello") {
				t.Errorf("log %v, %v", texts(all), err)
			}
			if !tt.readable && !errors.Is(err, ErrLogsUnreadable) {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestLogFilesAndTail(t *testing.T) {
	c := live(t)
	image := busybox(t, c)
	script := `mkdir -p /usr/local/tomcat/logs; cd /usr/local/tomcat/logs; i=0; while [ $i -lt 50 ]; do echo out $i >>catalina.out; i=$((i+1)); done
echo x >localhost_access_log.2026-11-23.txt; echo y >app.log; ln -s /dev/stdout linked.log; echo z >data.txt; echo ready; while :; do sleep 1; done`
	id := launched(t, c, container.Config{Image: image, Cmd: []string{"sh", "-c", script}}, container.HostConfig{})
	eventually(t, "the files are written", func() bool { return len(collected(t, c, id, LogOptions{})) > 0 })
	files, err := c.LogFiles(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimPrefix(f.Path, "/usr/local/tomcat/logs/"))
		if f.Size == 0 || f.Modified.IsZero() {
			t.Errorf("%+v", f)
		}
	}
	if len(names) != 3 || !strings.Contains(strings.Join(names, " "), "catalina.out") {
		t.Errorf("files: %v", names)
	}
	const file = "/usr/local/tomcat/logs/catalina.out"
	t.Run("by tail", func(t *testing.T) { checkTail(t, c, id, file) })
	readOnly := New(Options{ReadOnly: true})
	t.Cleanup(readOnly.Close)
	t.Run("by archive", func(t *testing.T) { checkTail(t, readOnly, id, file) })
	t.Run("cannot follow read-only", func(t *testing.T) {
		if err := readOnly.TailFile(t.Context(), id, file, TailOptions{Follow: true}, func([]LogLine) {}); !errors.Is(err, ErrNoTail) {
			t.Errorf("error = %v", err)
		}
	})
	for name, reader := range map[string]*Client{"by tail": c, "by archive": readOnly} {
		if err := reader.TailFile(t.Context(), id, "/no/such.log", TailOptions{}, func([]LogLine) {}); !errors.Is(err, ErrNotFound) {
			t.Errorf("a missing file %s: %v", name, err)
		}
	}
	t.Run("follow", func(t *testing.T) { checkTailFollow(t, c, id, file) })
}

func checkTail(t *testing.T, c *Client, id, file string) {
	t.Helper()
	var all []LogLine
	if err := c.TailFile(t.Context(), id, file, TailOptions{Lines: 3}, func(lines []LogLine) { all = append(all, lines...) }); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(texts(all), "|"); got != "out 47|out 48|out 49" || !all[0].At.IsZero() {
		t.Errorf("got %q", got)
	}
}

// checkTailFollow follows a file, and looks that nothing goes on in the
// container afterwards.
func checkTailFollow(t *testing.T, c *Client, id, file string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var once sync.Once
	found := false
	err := c.TailFile(ctx, id, file, TailOptions{Lines: 1, Follow: true}, func(lines []LogLine) {
		once.Do(func() { execute(t, c, id, "echo added >>"+file) })
		for _, l := range lines {
			if l.Text == "added" {
				found = true
				cancel()
			}
		}
	})
	if err != nil || !found {
		t.Errorf("found %v, %v", found, err)
	}
	eventually(t, "tail ends", func() bool { return !running("tail\x00-n\x001\x00-F\x00" + file) })
}

// execute runs a shell command in a container, detached.
func execute(t *testing.T, c *Client, id, script string) {
	t.Helper()
	api := c.engineOf(t)
	made, err := api.ExecCreate(t.Context(), id, client.ExecCreateOptions{Cmd: []string{"sh", "-c", script}})
	if err == nil {
		_, err = api.ExecStart(t.Context(), made.ID, client.ExecStartOptions{Detach: true})
	}
	if err != nil {
		t.Error(err)
	}
}

func TestTailFileWithoutTools(t *testing.T) {
	c := live(t)
	id := launched(t, c, container.Config{Image: serverImage(t, c), Env: []string{"SERVER_ADDRESS=none"}}, container.HostConfig{})
	var all []LogLine
	err := c.TailFile(t.Context(), id, "/etc/hostname", TailOptions{}, func(lines []LogLine) { all = append(all, lines...) })
	if err != nil || len(all) != 1 || !strings.HasPrefix(id, all[0].Text) {
		t.Errorf("%v, %v", texts(all), err)
	}
}
