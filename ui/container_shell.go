package ui

import (
	"context"
	"errors"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/pane"
	"gantry/ui/term"
)

// shellEngine opens shells in containers, and beside those that have none.
type shellEngine interface {
	Exec(ctx context.Context, id string, shells []string, cols, rows int) (*docker.Session, error)
	HelperImage(ctx context.Context) (string, error)
	ExecHelper(ctx context.Context, id, image string, cols, rows int) (*docker.Session, error)
	CommandLine(command docker.Command) string
}

// containerShell is a shell in a container. Where the image has none it offers
// one in a helper container.
type containerShell struct {
	*term.Term
	client shellEngine
	row    docker.Container
	host   pane.Host
	helper pane.Load[string] // an image with sh
	asked  bool
}

func newContainerShell(c shellEngine, row docker.Container) *containerShell {
	return &containerShell{
		client: c, row: row,
		Term: shellTerm(row, "a shell in "+row.Name, func(ctx context.Context, cols, rows int) (term.Stream, error) {
			return stream(c.Exec(ctx, row.ID, docker.DefaultShells, cols, rows))
		}),
	}
}

// stream keeps a session that is nil from becoming a stream that is not.
func stream(s *docker.Session, err error) (term.Stream, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

func shellTerm(row docker.Container, waits string, open func(ctx context.Context, cols, rows int) (term.Stream, error)) *term.Term {
	return term.New(term.Options{Name: "sh " + row.Name, Waits: waits, Open: open})
}

// Init takes the host.
func (s *containerShell) Init(h pane.Host) tea.Cmd {
	s.host = h
	return s.Term.Init(h)
}

// Update looks for a helper's image once it is known that there is no shell.
func (s *containerShell) Update(msg tea.Msg) tea.Cmd {
	if mine, cmd := s.helper.Update(msg); mine {
		s.offer()
		return cmd
	}
	cmd := s.Term.Update(msg)
	if ended, err := s.Ended(); !ended || s.asked || !errors.Is(err, docker.ErrNoShell) {
		return cmd
	}
	s.asked = true
	return tea.Batch(cmd, s.helper.Start("image", func(ctx context.Context, _ func(string)) (string, error) {
		return s.client.HelperImage(ctx)
	}))
}

const helperShellDoes = "None of bash, sh and ash is in the image of %s.\n\n" +
	"Start a helper container from %s beside it, and a shell in that? It shares the processes and the network of %s, whose files are below /proc/1/root. " +
	"It has no capability but SYS_PTRACE, and is removed when the shell ends."

// offer asks for a helper container. Without an image there is nothing to ask.
func (s *containerShell) offer() {
	if s.helper.Err != nil {
		s.host.Say(pane.Notice{Err: s.helper.Err})
		return
	}
	image, name := s.helper.Value, s.row.Name
	s.host.Ask(pane.Dialog{
		Title: name + " has no shell",
		Body: pane.Static(fmt.Sprintf(helperShellDoes, name, image, name) + "\n\n" +
			s.client.CommandLine(docker.HelperCommand(name, image))),
		Do: func([]string) tea.Cmd {
			s.host.Open(shellTerm(s.row, "a helper container beside "+name, func(ctx context.Context, cols, rows int) (term.Stream, error) {
				return stream(s.client.ExecHelper(ctx, s.row.ID, image, cols, rows))
			}))
			return nil
		},
	})
}

// Close ends the shell, and the search for a helper.
func (s *containerShell) Close() {
	s.helper.Stop()
	s.Term.Close()
}
