package ui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/aws/exec/remote"
	"gantry/ui/pane"
)

// The directions of a copy, as they are chosen.
const (
	copyOut = "out of the container"
	copyIn  = "into the container"
)

// askCopy asks what to copy where.
func (s *shells) askCopy(h pane.Host, rows []aws.Task) tea.Cmd {
	t := rows[0]
	if s.refuse(h, t) {
		return nil
	}
	here, err := os.Getwd()
	if err != nil {
		here = "."
	}
	h.Ask(pane.Dialog{
		Title: "Copy files, " + taskName(t),
		Fields: []pane.Field{
			{Label: "direction", Strict: true, Choices: func(string) []pane.Choice { return []pane.Choice{{Value: copyOut}, {Value: copyIn}} }},
			{Label: "in the container", Value: "/tmp/"},
			{Label: "here", Value: here},
			containerField(s.containers(t)),
		},
		Body: copyBody,
		Check: func(values []string) error {
			if strings.TrimSpace(values[1]) == "" || strings.TrimSpace(values[2]) == "" {
				return errors.New("type both paths")
			}
			return chosen(values[3:])
		},
		Do: func(values []string) tea.Cmd {
			s.last[family(t)] = values[3]
			h.Start(s.copyJob(t, values[0], strings.TrimSpace(values[1]), strings.TrimSpace(values[2]), values[3]))
			return nil
		},
	})
	return nil
}

func copyBody(values []string) string {
	from, to := values[1]+" in "+values[3], values[2]
	if values[0] == copyIn {
		from, to = values[2], values[1]+" in "+values[3]
	}
	return fmt.Sprintf("%s → %s\n\nA file or a folder, compared by checksum. Nothing that exists is overwritten but a file by a file.", from, to)
}

// copyJob copies through a shell of its own.
func (s *shells) copyJob(t aws.Task, direction, there, here, container string) *pane.Job {
	name := path.Base(there)
	if direction == copyIn {
		name = filepath.Base(here)
	}
	return &pane.Job{
		Name: "copy " + name + " " + direction,
		Run: func(ctx context.Context, report func(done, total int64)) error {
			session, err := s.client.OpenShell(ctx, t, container, "", 80, 24)
			if err != nil {
				return s.because(ctx, t, container, err)
			}
			shell, err := remote.Open(ctx, session)
			if err != nil {
				return err
			}
			defer func() { _ = shell.Close() }()
			if direction == copyIn {
				_, err = shell.Upload(ctx, here, there, report)
			} else {
				_, err = shell.Download(ctx, there, here, report)
			}
			return err
		},
	}
}
