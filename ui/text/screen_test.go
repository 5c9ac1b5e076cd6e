package text_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"go.uber.org/goleak"

	"gantry/ui/pane"
	"gantry/ui/text"
	"gantry/ui/uitest"
)

// window shows one log on the whole screen, as the frame does.
type window struct {
	log *text.Log
	say string
}

func (w *window) Open(pane.Pane)    {}
func (w *window) Ask(pane.Dialog)   {}
func (w *window) Say(n pane.Notice) { w.say = n.Text }
func (w *window) Show(pane.Stage)   {}
func (w *window) Start(*pane.Job)   {}
func (w *window) Focus(string)      {}
func (w *window) Init() tea.Cmd     { return w.log.Init(w) }
func (w *window) View() tea.View {
	return tea.View{AltScreen: true, Content: w.log.Title() + "\n" + w.log.View(), Cursor: w.log.Cursor()}
}

func (w *window) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		return w, w.log.Resize(msg.Width, msg.Height-1)
	case tea.KeyPressMsg:
		cs := w.log.Commands()
		i := slices.IndexFunc(cs, func(c pane.Command) bool { return c.Matches(msg) })
		if i >= 0 && !w.log.Typing() {
			return w, cs[i].Run()
		}
	}
	return w, w.log.Update(msg)
}

// service is a feed that writes a start-up log at once, and a line for each
// value of more.
func service(more <-chan string) text.Feed {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	return text.Feed{
		Key: "web",
		Head: func(context.Context) (string, error) {
			return "json-file · /var/lib/docker/web-json.log · no rotation: 165 MB and growing", nil
		},
		Follow: func(ctx context.Context, _ text.Mark, emit func([]text.Line)) error {
			for i := range 200 {
				line := fmt.Sprintf("\x1b[32mINFO\x1b[0m %3d --- [main] started bean %d", i, i)
				if i%50 == 49 {
					line = fmt.Sprintf("\x1b[31mERROR\x1b[0m %3d --- [main] Connection refused: db-%d:5432", i, i)
				}
				emit([]text.Line{{At: at.Add(time.Duration(i) * time.Second), Stderr: i%50 == 49, Text: line}})
			}
			for {
				select {
				case s := <-more:
					emit([]text.Line{{At: at.Add(time.Hour), Text: s}})
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		},
	}
}

func TestLogByKeysAlone(t *testing.T) {
	more := make(chan string)
	w := &window{log: text.NewLog("web", service(more), text.LogOptions{})}
	t.Cleanup(w.log.Close)
	s := uitest.Run(t, w, 80, 16)
	s.Wait("started bean 198")
	s.Wait("no rotation: 165 MB and growing")
	s.Wait("● following")

	s.Type("/refused\rN") // a burst: the newest match, then the one above it
	s.Wait("3 of 4 matching lines")
	s.Wait("Connection refused: db-149")
	more <- "while you read"
	s.Wait("1 new line")

	s.Type("&error\r")
	s.Wait("&error 4")
	s.Wait("db-49:5432")
	s.Type("\x1b")
	s.Gone("matching lines")
	s.Type("\x1b")
	s.Gone("&error")

	s.Type("G")
	s.Wait("while you read")
	more <- "\x1b]0;owned\x07\x1b[2Jtitle"
	s.Wait("^ title")
	s.Type("R")
	s.Wait(`^[]0;owned^G^[[2Jtitle`)
	s.Type("Rvk")
	s.Type("y")
	s.Until(func(string) bool { return s.Copied() != "" }, "copied nothing")
	want := base64.StdEncoding.EncodeToString([]byte("while you read\ntitle"))
	if got := s.Copied(); !strings.Contains(got, want) {
		t.Errorf("copied %q, want %q in it", got, want)
	}
}

// A log on the screen that nothing is written to sends nothing to the terminal.
func TestIdleLogSendsNothing(t *testing.T) {
	w := &window{log: text.NewLog("web", service(nil), text.LogOptions{})}
	t.Cleanup(w.log.Close)
	s := uitest.Run(t, w, 80, 16)
	s.Wait("started bean 198")
	s.Settle()
	before := s.Written()
	s.Settle()
	if n := s.Written() - before; n != 0 {
		t.Errorf("%d bytes were sent for nothing", n)
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
