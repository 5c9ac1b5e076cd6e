package ui

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/docker"
	"gantry/ui/pane"
	"gantry/ui/style"
)

// containerRow is a container with what is known of where it listens.
type containerRow struct {
	docker.Container
	Listen docker.Listen
	Looked bool // Listen says something
}

// mapping is a published port, once for all addresses of the host.
type mapping struct {
	host, container int
	proto           string
}

func (m mapping) String() string {
	s := strconv.Itoa(m.host)
	if m.container != m.host {
		s += "→" + strconv.Itoa(m.container)
	}
	if m.proto != "tcp" && m.proto != "" {
		s += "/" + m.proto
	}
	return s
}

func mappingOf(p docker.Port) mapping { return mapping{p.Host, p.Container, p.Proto} }

// mappings are the published ports of a container, in order.
func mappings(c docker.Container) []mapping {
	var ms []mapping
	for _, p := range c.Ports {
		if m := mappingOf(p); p.Published() && !slices.Contains(ms, m) {
			ms = append(ms, m)
		}
	}
	slices.SortFunc(ms, func(a, b mapping) int {
		return cmp.Or(cmp.Compare(a.container, b.container), cmp.Compare(a.host, b.host), strings.Compare(a.proto, b.proto))
	})
	return ms
}

// verdict is what is known of one published port; "" before it was looked at.
func (r containerRow) verdict(m mapping) docker.Verdict {
	if !r.Looked || !r.Running() {
		return ""
	}
	for _, p := range r.Listen.Ports {
		if mappingOf(p.Port) == m {
			return p.Verdict
		}
	}
	return ""
}

// verdictSigns and verdictWords are the verdicts in one cell, and in full.
var (
	verdictSigns = map[docker.Verdict]string{
		docker.ListenOK: "✓", docker.ListenLoopback: "!", docker.ListenOther: "≠", docker.ListenNotYet: "…", docker.ListenUnknown: "?",
	}
	verdictWords = map[docker.Verdict]string{
		docker.ListenOK:       "the app listens",
		docker.ListenLoopback: "the app listens on 127.0.0.1 only",
		docker.ListenOther:    "the app listens on another port",
		docker.ListenNotYet:   "nothing listens yet",
		docker.ListenUnknown:  "cannot be seen from here",
	}
)

// worstFirst orders mappings by how much there is to do about them.
var worstFirst = []docker.Verdict{docker.ListenLoopback, docker.ListenOther, docker.ListenNotYet, docker.ListenUnknown, "", docker.ListenOK}

// portMark is the published port that is worst off, and how many more there
// are, in a few cells.
func portMark(r containerRow) string {
	ms := mappings(r.Container)
	if len(ms) == 0 {
		return ""
	}
	worst := slices.MinFunc(ms, func(a, b mapping) int {
		return slices.Index(worstFirst, r.verdict(a)) - slices.Index(worstFirst, r.verdict(b))
	})
	text := r.sign(worst) + strconv.Itoa(worst.host)
	if len(ms) > 1 {
		text += fmt.Sprintf("+%d", len(ms)-1)
	}
	return text
}

func (r containerRow) sign(m mapping) string {
	if s := verdictSigns[r.verdict(m)]; s != "" {
		return s
	}
	return " "
}

// allPorts are all published ports with their marks.
func allPorts(r containerRow) string {
	var texts []string
	for _, m := range mappings(r.Container) {
		texts = append(texts, strings.TrimSpace(r.sign(m)+m.String()))
	}
	return strings.Join(texts, " ")
}

func portStyle(r containerRow) style.Style {
	t := style.Now()
	if !r.Looked || !r.Running() {
		return t.Dim
	}
	return verdictStyle(r.Listen.Worst())
}

func verdictStyle(v docker.Verdict) style.Style {
	t := style.Now()
	switch v {
	case docker.ListenOK:
		return t.Good
	case docker.ListenLoopback, docker.ListenOther:
		return t.Bad
	case docker.ListenNotYet:
		return t.Busy
	}
	return t.Dim
}

// listenLines tell about every published port, and what to do about the one
// that is worst off.
func listenLines(l docker.Listen, w int) []string {
	t := style.Now()
	if l.Reason != "" {
		return padded(styled(t.Text, style.Wrap(style.Lines("Nothing to look at: "+l.Reason+"."), w-2)))
	}
	var lines []string
	told := map[mapping]docker.Verdict{}
	for _, p := range l.Ports {
		if v, ok := told[mappingOf(p.Port)]; ok && v == p.Verdict {
			continue // the same again, on another address of the host
		}
		told[mappingOf(p.Port)] = p.Verdict
		text := fmt.Sprintf("%s %s  %s%s", verdictSigns[p.Verdict], p.Port, verdictWords[p.Verdict], elsewhere(p))
		lines = append(lines, styled(verdictStyle(p.Verdict), style.Wrap(style.Plain(text), w-2))...)
	}
	lines = append(lines, "")
	if err := l.Explain(); err != nil {
		lines = append(lines, errorLines(err, w-2)...)
	} else if len(l.Ports) > 0 {
		lines = append(lines, style.Wrap(style.Plain(fmt.Sprintf("curl http://localhost:%d reaches the app.", l.Ports[0].Port.Host)), w-2)...)
	}
	if l.Stack.Name != "" {
		lines = append(lines, "", t.Dim.Render(style.Cut(style.Plain("It looks like "+l.Stack.Name+"."), w-2)))
	}
	return padded(lines)
}

// elsewhere are the ports that the app listens on instead.
func elsewhere(p docker.PortListen) string {
	var texts []string
	for _, s := range p.Others {
		texts = append(texts, s.Addr.String())
	}
	if len(texts) == 0 {
		return ""
	}
	return ": " + strings.Join(texts, ", ")
}

// tellsListen is the stage tab about where a row listens.
func tellsListen(r containerRow, w int) []string {
	switch {
	case !r.Running():
		return listenLines(docker.Listen{Reason: "the container does not run"}, w)
	case len(mappings(r.Container)) == 0:
		return listenLines(docker.Listen{Reason: "it publishes no port: run it with -p HOST:CONTAINER to reach it"}, w)
	case !r.Looked:
		return []string{style.Now().Dim.Render(" looking …")}
	}
	lines := listenLines(r.Listen, w)
	if r.Listen.NeedsHelper {
		lines = append(lines, "", " "+style.Now().Key.Render("w")+" lets a helper container look.")
	}
	return lines
}

// closable is a pane of the stage that the user closes.
type closable struct {
	pane.Pane
	gone bool
}

// Commands add the way out.
func (c *closable) Commands() []pane.Command {
	return append(c.Pane.Commands(), pane.Command{Key: "x esc", Does: "close", Run: func() tea.Cmd {
		c.gone = true
		return nil
	}})
}

// Live says that nothing is lost by quitting.
func (c *closable) Live() bool { return false }

// Gone says that the tab can go.
func (c *closable) Gone() bool { return c.gone }

// Close lets go of what the pane holds.
func (c *closable) Close() { closePane(c.Pane) }

// listenFound is where a container listens, as somebody has looked on demand.
type listenFound struct {
	id     string
	listen docker.Listen
}

// why explains, in a tab of its own, why a container can or cannot be reached.
type why struct {
	*report[docker.Listen]
	id string
}

// Update tells the list what was found.
func (y *why) Update(msg tea.Msg) tea.Cmd {
	mine, busy := false, y.load.Busy()
	cmd := y.report.Update(msg)
	mine = busy && !y.load.Busy()
	if !mine || y.load.Err != nil {
		return cmd
	}
	return tea.Batch(cmd, pane.Send(listenFound{y.id, y.load.Value}))
}

func needsHelper(r containerRow) bool { return r.Running() && r.Looked && r.Listen.NeedsHelper }

const helperDoes = "A helper container is made from an image that is here already and has sh. It runs in the network of %s, as nobody, " +
	"without any capability and with a read-only root, reads the list of listening sockets, and is removed at once.\n\nNothing is pulled, and %s is not touched."

// askHelper asks before a container is made.
func (k *containers) askHelper(h pane.Host, rows []containerRow) tea.Cmd {
	r := rows[0]
	h.Ask(pane.Dialog{
		Title: "Look into " + r.Name + " by a helper container?",
		Body:  pane.Static(fmt.Sprintf(helperDoes, r.Name, r.Name)),
		Do: func([]string) tea.Cmd {
			k.explain(h, r, func(ctx context.Context, c docker.Container) (docker.Listen, error) {
				return k.client.ListeningByHelper(ctx, c, "")
			})
			return nil
		},
	})
	return nil
}

// openWhy explains by what is to be seen from here.
func (k *containers) openWhy(h pane.Host, rows []containerRow) tea.Cmd {
	k.explain(h, rows[0], k.client.Listening)
	return nil
}

func (k *containers) explain(h pane.Host, r containerRow, ask func(context.Context, docker.Container) (docker.Listen, error)) {
	h.Open(&closable{Pane: &why{
		id:     r.ID,
		report: newReport("why "+r.Name, func(ctx context.Context) (docker.Listen, error) { return ask(ctx, r.Container) }, listenLines),
	}})
}
