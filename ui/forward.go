package ui

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/aws/exec"
	"gantry/internal/diagnose"
	"gantry/ui/pane"
)

// forwardClient is what port forwards need of AWS.
type forwardClient interface {
	OpenForward(ctx context.Context, t aws.Task, container, host string, port, local int) (*exec.Forward, error)
}

// route is a forward as the user asked for it.
type route struct {
	task      aws.Task
	container string
	host      string // seen from the container; empty for the container itself
	port      int
	local     int // 0 takes a free port
}

func (r route) remote() string {
	if r.host == "" {
		return fmt.Sprintf("%s:%d", taskName(r.task), r.port)
	}
	return net.JoinHostPort(r.host, strconv.Itoa(r.port)) + " through " + taskName(r.task)
}

// forwardOpened is the answer to opening a forward.
type forwardOpened struct {
	route   route
	forward *exec.Forward
	err     error
}

// forwardTrouble says that a connection through a forward failed. The forward
// goes on.
type forwardTrouble struct {
	text string
	more <-chan string
}

// askForward asks which port leads where.
func (s *shells) askForward(h pane.Host, rows []aws.Task) tea.Cmd {
	t := rows[0]
	if s.refuse(h, t) {
		return nil
	}
	h.Ask(pane.Dialog{
		Title: "Forward a port of " + taskName(t),
		Fields: []pane.Field{
			{Label: "port", Value: firstPort(t), Choices: func(string) []pane.Choice { return portChoices(t) }},
			{Label: "host", Value: ""},
			{Label: "local port", Value: ""},
		},
		Body: func(values []string) string {
			r, err := s.route(t, values)
			if err != nil {
				return "A port from 1 to 65535. Leave host empty for the container itself, local port empty for a free one."
			}
			return fmt.Sprintf("%s → %s", localAddress(r.local), r.remote())
		},
		Check: func(values []string) error { _, err := s.route(t, values); return err },
		Do: func(values []string) tea.Cmd {
			r, _ := s.route(t, values) // Check has seen it
			h.Say(pane.Notice{Text: "opening a way to " + r.remote() + " …"})
			return s.openForward(r)
		},
	})
	return nil
}

func localAddress(port int) string {
	if port == 0 {
		return "a free port on 127.0.0.1"
	}
	return fmt.Sprintf("127.0.0.1:%d", port)
}

func firstPort(t aws.Task) string {
	if cs := portChoices(t); len(cs) > 0 {
		return cs[0].Value
	}
	return ""
}

func portChoices(t aws.Task) []pane.Choice {
	var cs []pane.Choice
	for _, c := range t.Containers {
		for _, p := range c.Ports {
			cs = append(cs, pane.Choice{Value: strconv.Itoa(p.Container), Note: c.Name})
		}
	}
	return cs
}

// route reads the dialog's answer.
func (s *shells) route(t aws.Task, values []string) (route, error) {
	port, err := portNumber(values[0], 1)
	if err != nil {
		return route{}, err
	}
	local, err := portNumber(values[2], 0)
	if err != nil {
		return route{}, err
	}
	return route{task: t, container: s.containerOf(t, port), host: strings.TrimSpace(values[1]), port: port, local: local}, nil
}

// portNumber reads a port; nothing at all is 0.
func portNumber(text string, least int) (int, error) {
	text = strings.TrimSpace(text)
	if text == "" && least == 0 {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > 65535 {
		return 0, &diagnose.Error{What: fmt.Sprintf("%q is not a port", text), Do: "type a number from 1 to 65535", Err: err}
	}
	return n, nil
}

// containerOf is the container that declares the port, or the one last used.
func (s *shells) containerOf(t aws.Task, port int) string {
	for _, c := range t.Containers {
		for _, p := range c.Ports {
			if p.Container == port {
				return c.Name
			}
		}
	}
	return s.containers(t)[0]
}

func (s *shells) openForward(r route) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		f, err := s.client.OpenForward(ctx, r.task, r.container, r.host, r.port, r.local)
		if err != nil {
			err = s.because(ctx, r.task, r.container, err)
		}
		return forwardOpened{r, f, err}
	}
}

// forwarding runs an open forward as a job, with its bytes counted.
func forwarding(h pane.Host, msg forwardOpened) tea.Cmd {
	if msg.err != nil {
		h.Say(pane.Notice{Err: msg.err})
		return nil
	}
	address := msg.forward.Addr().String()
	troubles := make(chan string, 1)
	h.Say(pane.Notice{Text: address + " → " + msg.route.remote()})
	h.Start(&pane.Job{
		Name: address + " → " + msg.route.remote(),
		Run: func(ctx context.Context, report func(done, total int64)) error {
			defer close(troubles)
			return watchForward(ctx, msg.forward, report, troubles)
		},
	})
	return hear(troubles)
}

// forwardEvery is how often the bytes of a forward are counted.
const forwardEvery = 500 * time.Millisecond

// watchForward serves until it is canceled, which is how a forward ends as it
// should, or until it breaks.
func watchForward(ctx context.Context, f *exec.Forward, report func(done, total int64), troubles chan<- string) error {
	tick := time.NewTicker(forwardEvery)
	defer tick.Stop()
	var counted int64
	told := ""
	for {
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), f.Close())
		case <-f.Done():
			_ = f.Close()
			return f.Err()
		case <-tick.C:
		}
		if n := f.Sent() + f.Received(); n != counted {
			counted = n
			report(n, 0)
		}
		if p := f.Problem(); p != told {
			told = p
			select {
			case troubles <- p:
			default: // the one before has not been read yet
			}
		}
	}
}

// hear waits for the next trouble.
func hear(troubles <-chan string) tea.Cmd {
	return func() tea.Msg {
		text, ok := <-troubles
		if !ok {
			return nil
		}
		return forwardTrouble{text, troubles}
	}
}
