package frames

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// counting shows how many messages of the test it has had.
type counting int

func (c counting) Init() tea.Cmd { return nil }

func (c counting) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if _, ok := msg.(count); ok {
		return c + 1, nil
	}
	return c, nil
}

func (c counting) View() tea.View { return tea.NewView(fmt.Sprintf("<%d>", int(c))) }

type count struct{}

// output keeps what was drawn.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) has(s string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Contains(o.text.String(), s)
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		if holds() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// The renderer must rest when nothing happens, and what comes after must be
// drawn, however often that is.
func TestRendererRestsAndWakes(t *testing.T) {
	input, keys := io.Pipe()
	defer keys.Close()
	out := &output{}
	r := &resting{Model: counting(0)}
	r.program = tea.NewProgram(r, tea.WithInput(input), tea.WithOutput(out), tea.WithWindowSize(20, 5),
		tea.WithEnvironment([]string{"TERM=xterm-256color"}), tea.WithoutSignals())
	ended := make(chan error, 1)
	go func() {
		_, err := r.program.Run()
		ended <- err
	}()
	until(t, "the first frame", func() bool { return out.has("0") })
	for i := range 3 {
		until(t, "rest (has this Bubble Tea no ticker of that name?)", func() bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.asleep
		})
		r.program.Send(count{})
		until(t, "a frame after rest", func() bool { return out.has(fmt.Sprint(i + 1)) })
	}
	r.program.Quit()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}
