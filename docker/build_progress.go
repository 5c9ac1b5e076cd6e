package docker

import (
	"strings"
	"time"

	"gantry/internal/pattern"
)

// StepState is where a step of a build stands.
type StepState string

// The states of a step. A step that never ran because another one failed, and
// one that was cut off, are both StepCanceled.
const (
	StepQueued   StepState = "queued"
	StepRunning  StepState = "running"
	StepDone     StepState = "done"
	StepCached   StepState = "cached"
	StepFailed   StepState = "failed"
	StepCanceled StepState = "canceled"
)

// Step is one node of a build's graph.
type Step struct {
	ID    string // BuildKit's vertex digest, or the number of a classic step
	Name  string // "RUN mvn package", without the mark in brackets
	Stage string // "[2/3]", "[builder 2/3]", "[internal]"; "" where there is none
	State StepState
	// Started and Completed are zero where that has not happened. Together they
	// span all parts of a step that BuildKit runs in several.
	Started, Completed time.Time
	Logs               []string // the last lines it wrote, without line ends
	LogsDropped        int      // lines before those, no longer kept
	Transfers          []Transfer
	Error              string
	// DockerfileLines is the part of the Dockerfile that the step comes from.
	// It is filled for the step that failed.
	DockerfileLines []SourceLine
}

// Took is how long the step ran, until now if it still does.
func (s Step) Took(now time.Time) time.Duration {
	switch {
	case s.Started.IsZero():
		return 0
	case s.Completed.IsZero():
		return now.Sub(s.Started)
	}
	return s.Completed.Sub(s.Started)
}

// Transfer is a part of a step that moves bytes: a layer that is pulled, the
// context that is sent.
type Transfer struct {
	Name string
	// Current and Total are bytes. Total is 0 where it is not known; Current is
	// never above a known total.
	Current, Total int64
	Done           bool
}

// BuildProgress is a build at one moment. It is a copy: nothing in it changes
// any more.
type BuildProgress struct {
	Steps    []Step // in the order in which the engine spoke of them first
	Warnings []string
}

// Count is how many steps have ended, well or not, and how many there are.
func (p BuildProgress) Count() (ended, all int) {
	for _, s := range p.Steps {
		if s.State != StepQueued && s.State != StepRunning {
			ended++
		}
	}
	return ended, len(p.Steps)
}

// Failed is the step that failed.
func (p BuildProgress) Failed() (Step, bool) {
	for _, s := range p.Steps {
		if s.State == StepFailed {
			return s, true
		}
	}
	return Step{}, false
}

// What is kept of a step's output: enough to read an error, bounded for a
// build that writes for hours.
const (
	maxStepLines = 1000
	maxLineBytes = 4 << 10
	maxWarnings  = 100
)

// buildDelivery is a delivery of a build's graph.
type buildDelivery = delivery[*graph, BuildProgress]

// graph gathers what an engine reports about a build.
type graph struct {
	nodes    map[string]*node
	order    []*node
	warnings []string
}

// node is a step under way.
type node struct {
	step      Step
	tail      string // a line that has not ended yet
	transfers map[string]int
}

func newGraph() *graph { return &graph{nodes: map[string]*node{}} }

// node returns the step of an id, making it if it is new.
func (g *graph) node(id string) *node {
	n := g.nodes[id]
	if n == nil {
		n = &node{step: Step{ID: id, State: StepQueued}, transfers: map[string]int{}}
		g.nodes[id] = n
		g.order = append(g.order, n)
	}
	return n
}

var stepMark = pattern.Late(`^(\[[^\]]+\])\s+(.*)$`)

// rename sets name and stage from BuildKit's "[builder 2/3] RUN make".
func (n *node) rename(name string) {
	n.step.Stage, n.step.Name = "", name
	if m := stepMark().FindStringSubmatch(name); m != nil {
		n.step.Stage, n.step.Name = m[1], m[2]
	}
}

// write adds output. A carriage return starts the line anew, as a progress bar
// does.
func (n *node) write(data string) {
	data = n.tail + data
	for {
		line, rest, ended := strings.Cut(data, "\n")
		if !ended {
			break
		}
		n.append(line)
		data = rest
	}
	n.tail = lastWritten(data)
}

func (n *node) append(line string) {
	n.step.Logs = append(n.step.Logs, lastWritten(line))
	if len(n.step.Logs) < 2*maxStepLines {
		return
	}
	drop := len(n.step.Logs) - maxStepLines
	n.step.Logs = append(make([]string, 0, 2*maxStepLines), n.step.Logs[drop:]...)
	n.step.LogsDropped += drop
}

// lastWritten is what a terminal would show of a line with carriage returns,
// cut to maxLineBytes.
func lastWritten(line string) string {
	line = strings.TrimRight(line, "\r")
	if i := strings.LastIndexByte(line, '\r'); i >= 0 {
		line = line[i+1:]
	}
	if len(line) > maxLineBytes {
		line = strings.ToValidUTF8(line[:maxLineBytes], "") + "…"
	}
	return strings.Clone(line)
}

// transfer sets how far a part of a step is.
func (n *node) transfer(id string, t Transfer) {
	if t.Total > 0 && t.Current > t.Total {
		t.Current = t.Total // seen on layers that grow when they are packed
	}
	i, known := n.transfers[id]
	if !known {
		n.transfers[id] = len(n.step.Transfers)
		n.step.Transfers = append(n.step.Transfers, t)
		return
	}
	n.step.Transfers[i] = t
}

func (g *graph) warn(text string) {
	if len(g.warnings) < maxWarnings {
		g.warnings = append(g.warnings, text)
	}
}

// finish settles the steps that have no end of their own when a build ends.
func (g *graph) finish(err error) {
	for _, n := range g.order {
		if n.tail != "" {
			n.append(n.tail)
			n.tail = ""
		}
		switch {
		case n.step.State != StepQueued && n.step.State != StepRunning:
		case err != nil:
			n.step.State = StepCanceled
		case n.step.State == StepRunning:
			n.step.State = StepDone
		}
	}
}

// snapshot copies the graph. Log lines are only ever appended, so their array
// is shared; the length fixes what a reader sees.
func (g *graph) snapshot() BuildProgress {
	p := BuildProgress{Steps: make([]Step, 0, len(g.order)), Warnings: append([]string(nil), g.warnings...)}
	for _, n := range g.order {
		s := n.step
		s.Logs = s.Logs[:len(s.Logs):len(s.Logs)]
		if n.tail != "" {
			s.Logs = append(s.Logs, n.tail)
		}
		if over := len(s.Logs) - maxStepLines; over > 0 {
			s.Logs = s.Logs[over:]
			s.LogsDropped += over
		}
		s.Transfers = append([]Transfer(nil), s.Transfers...)
		p.Steps = append(p.Steps, s)
	}
	return p
}
