package ui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/aws/exec"
	"gantry/internal/diagnose"
	"gantry/ui/pane"
	"gantry/ui/table"
	"gantry/ui/term"
)

// idleLimit is after how long without a word ECS Exec ends a session. It cannot
// be changed (ECS developer guide, "Using Amazon ECS Exec to access your
// containers").
const idleLimit = 20 * time.Minute

// shellClient is what shells need of AWS.
type shellClient interface {
	OpenShell(ctx context.Context, t aws.Task, container, command string, cols, rows int) (*exec.Session, error)
	ExplainExec(ctx context.Context, t aws.Task, container string) error
	DescribeServices(ctx context.Context, cluster string, ids []string) ([]aws.Service, error)
	EnableExec(ctx context.Context, s aws.Service) error
	logReader
	forwardClient
}

// shells opens shells in tasks.
type shells struct {
	client shellClient
	last   map[string]string // container last chosen, by task definition family
}

// actions are the keys of a task that lead into it.
func (s *shells) actions() []table.Action[aws.Task] {
	return []table.Action[aws.Task]{
		{Key: "e", Does: "exec", Mutates: true, When: running, Open: s.open},
		{Key: "l", Does: "logs", Open: taskLogs(s.client)},
		{Key: "E", Does: "exec a command", Mutates: true, When: running, Open: s.openCommand},
		{Key: "f", Does: "forward a port", Mutates: true, When: running, Open: s.askForward},
		{Key: "c", Does: "copy files", Mutates: true, When: running, Open: s.askCopy},
	}
}

func running(t aws.Task) bool { return t.LastStatus == "RUNNING" }

// open opens a shell in the one container there is, or asks for which.
func (s *shells) open(h pane.Host, rows []aws.Task) tea.Cmd {
	t := rows[0]
	if s.refuse(h, t) {
		return nil
	}
	choices := s.containers(t)
	if len(choices) == 1 {
		s.start(h, t, choices[0], "")
		return nil
	}
	h.Ask(pane.Dialog{
		Title:  "Shell in " + taskName(t),
		Fields: []pane.Field{containerField(choices)},
		Do:     func(values []string) tea.Cmd { s.start(h, t, values[0], ""); return nil },
		Check:  chosen,
	})
	return nil
}

// openCommand asks for the command too.
func (s *shells) openCommand(h pane.Host, rows []aws.Task) tea.Cmd {
	t := rows[0]
	if s.refuse(h, t) {
		return nil
	}
	h.Ask(pane.Dialog{
		Title:  "Run in " + taskName(t),
		Fields: []pane.Field{{Label: "command", Value: "/bin/sh"}, containerField(s.containers(t))},
		Body:   pane.Static("The command runs on a terminal in the container, as root."),
		Check: func(values []string) error {
			if strings.TrimSpace(values[0]) == "" {
				return errors.New("type a command")
			}
			return chosen(values[1:])
		},
		Do: func(values []string) tea.Cmd { s.start(h, t, values[1], values[0]); return nil },
	})
	return nil
}

// containers are those that run, the one last chosen for this kind of task
// first.
func (s *shells) containers(t aws.Task) []string {
	var names []string
	for _, c := range t.Containers {
		if c.LastStatus == "RUNNING" {
			names = append(names, c.Name)
		}
	}
	if i := slices.Index(names, s.last[family(t)]); i > 0 {
		names[0], names[i] = names[i], names[0]
	}
	return names
}

func family(t aws.Task) string {
	name, _, _ := strings.Cut(t.TaskDefinition, ":")
	return name
}

func containerField(names []string) pane.Field {
	return pane.Field{Label: "container", Strict: true, Choices: func(typed string) []pane.Choice {
		var cs []pane.Choice
		for _, n := range names {
			if strings.Contains(n, typed) {
				cs = append(cs, pane.Choice{Value: n})
			}
		}
		return cs
	}}
}

func chosen(values []string) error {
	if values[0] == "" {
		return errors.New("choose a container")
	}
	return nil
}

// refuse tells why exec cannot work, as far as the row shows it, and offers the
// fix that gantry can do.
func (s *shells) refuse(h pane.Host, t aws.Task) bool {
	switch {
	case len(s.containers(t)) == 0:
		h.Say(pane.Notice{Err: &diagnose.Error{What: "open a shell in " + taskName(t), Cause: "none of its containers runs", Do: "choose a running task"}})
	case t.ExecEnabled:
		return false
	case t.Service == "":
		h.Say(pane.Notice{Err: &diagnose.Error{
			What: "open a shell in " + taskName(t), Cause: "ECS Exec was off when the task was started, and cannot be turned on later",
			Do: "run the task again with --enable-execute-command and a task role",
		}})
	default:
		s.offerEnabling(h, t)
	}
	return true
}

func (s *shells) offerEnabling(h pane.Host, t aws.Task) {
	h.Ask(pane.Dialog{
		Title: "ECS Exec is off",
		Body: pane.Static(fmt.Sprintf("%s was started without ECS Exec, and running tasks never get it.\n\n"+
			"Turn it on for service %s and redeploy? Every task of the service is replaced.\n%s", taskName(t), t.Service, where(t.Scope, t.Cluster))),
		Do: func([]string) tea.Cmd {
			return func() tea.Msg { return execEnabled{t.Service, s.enable(t)} }
		},
	})
}

// execEnabled says how turning ECS Exec on went.
type execEnabled struct {
	service string
	err     error
}

func (s *shells) enable(t aws.Task) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	rows, err := s.client.DescribeServices(ctx, t.ClusterARN, []string{t.Service})
	if err != nil {
		return err
	}
	if len(rows) == 0 || rows[0].Failure != "" {
		return &diagnose.Error{What: "enable exec on " + t.Service, Cause: "the service is gone"}
	}
	return s.client.EnableExec(ctx, rows[0])
}

// start opens the terminal on the stage.
func (s *shells) start(h pane.Host, t aws.Task, container, command string) {
	s.last[family(t)] = container
	var live atomic.Pointer[shell]
	name := "sh"
	if command != "" {
		name, _, _ = strings.Cut(command, " ")
		name = name[strings.LastIndexByte(name, '/')+1:]
	}
	h.Open(term.New(term.Options{
		Name:   name + " " + taskName(t),
		Waits:  "the agent in " + container + " of " + taskName(t),
		EndAsk: "Ending stops the shell and what it runs. Detaching leaves it running until ECS's idle limit of 20 minutes.",
		Open: func(ctx context.Context, cols, rows int) (term.Stream, error) {
			session, err := s.client.OpenShell(ctx, t, container, command, cols, rows)
			if err != nil {
				return nil, s.because(ctx, t, container, err)
			}
			// The question is put when the session, and ctx with it, is over.
			sh := &shell{Session: session, why: func() error { return s.ended(t, container) }}
			sh.touch()
			live.Store(sh)
			return sh, nil
		},
		Status: func() string {
			if sh := live.Load(); sh != nil {
				return sh.status()
			}
			return ""
		},
	}))
}

// because is the known cause behind ECS's error, which is the same text for
// some fifteen of them.
func (s *shells) because(ctx context.Context, t aws.Task, container string, err error) error {
	if errors.Is(err, aws.ErrDenied) || errors.Is(err, aws.ErrReadOnly) || ctx.Err() != nil {
		return err
	}
	if why := s.client.ExplainExec(ctx, t, container); why != nil {
		return why
	}
	return err
}

// ended says what has become of the task under its session, nil if nothing has.
// The cause comes first: it has to fit on one line under the last screen.
func (s *shells) ended(t aws.Task, container string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var told *diagnose.Error
	if !errors.As(s.client.ExplainExec(ctx, t, container), &told) {
		return nil
	}
	return &diagnose.Error{What: told.Cause, Do: told.Do, Err: told.Err}
}

// shell is a session that remembers when it was last used and asks at its end
// what has become of the task.
type shell struct {
	*exec.Session
	why  func() error
	used atomic.Int64 // Unix nanoseconds of the last byte either way
	end  error        // written before Read says that it is over
}

func (s *shell) touch() { s.used.Store(time.Now().UnixNano()) }

func (s *shell) Write(p []byte) (int, error) {
	s.touch()
	return s.Session.Write(p)
}

func (s *shell) Read(p []byte) (int, error) {
	n, err := s.Session.Read(p)
	if n > 0 {
		s.touch()
	}
	if err != nil {
		if s.end = s.Session.Err(); s.end != nil {
			if why := s.why(); why != nil {
				s.end = why
			}
		}
	}
	return n, err
}

// Err is why the session ended; nil when the shell did so by itself.
func (s *shell) Err() error { return s.end }

// status tells what is wrong or about to happen. It speaks in whole minutes, so
// that a quiet session does not keep redrawing the screen.
func (s *shell) status() string {
	if st := s.Status(); st.State == exec.Resuming {
		return fmt.Sprintf("connection lost, resuming (attempt %d)", st.Attempt)
	}
	var parts []string
	idle := time.Since(time.Unix(0, s.used.Load())).Truncate(time.Minute)
	if idle >= time.Minute {
		parts = append(parts, fmt.Sprintf("idle %d of %d minutes", int(idle.Minutes()), int(idleLimit.Minutes())))
	}
	if quiet := s.Quiet().Truncate(time.Minute); quiet >= time.Minute {
		parts = append(parts, fmt.Sprintf("the peer has been silent for %d min", int(quiet.Minutes())))
	}
	return strings.Join(parts, " · ")
}
