package ui

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/docker"
	"gantry/internal/diagnose"
	"gantry/ui/lineage"
	"gantry/ui/pane"
	"gantry/ui/style"
	"gantry/ui/table"
	"gantry/ui/text"
)

// lineageTab tells where the images of a row are.
type lineageTab struct {
	*text.Document
	all     *lineages
	strands func() []lineage.Strand
	// above is what stands before the strands, if anything does.
	above func(w int) []string
	// take takes new content of the row. mine says that it was one; what is to be
	// asked then is the command.
	take func(tea.Msg) (mine bool, next tea.Cmd)
	seen bool
	aged bool // the age is being looked at now and then
}

// lineageTabOf is the tab of a table's rows. changed, if any, is told new
// content of a row.
func lineageTabOf[T any](all *lineages, id func(T) string, of func(*lineage.Index, T) []lineage.Strand, changed func(T) tea.Cmd) table.Tab[T] {
	return table.Tab[T]{Title: "Lineage", Open: func(row T) pane.Pane {
		t := &lineageTab{all: all, strands: func() []lineage.Strand { return of(all.now, row) }}
		t.take = func(msg tea.Msg) (bool, tea.Cmd) {
			m, ok := msg.(pane.Selected[T])
			if !ok || m.Row == nil || id(*m.Row) != id(row) {
				return false, nil
			}
			if row = *m.Row; changed == nil || !t.seen {
				return true, nil
			}
			return true, changed(row)
		}
		t.Document = text.New("Lineage", t.lines)
		return t
	}}
}

func taskLineage(all *lineages) table.Tab[aws.Task] {
	return lineageTabOf(all, taskID, func(x *lineage.Index, t aws.Task) []lineage.Strand { return x.OfTask(t) }, nil)
}

func serviceLineage(all *lineages) table.Tab[aws.Service] {
	return lineageTabOf(all, serviceID, func(x *lineage.Index, s aws.Service) []lineage.Strand { return x.OfService(s) }, all.Follow)
}

func imageLineage(all *lineages) table.Tab[docker.Image] {
	return lineageTabOf(all, imageID, func(x *lineage.Index, i docker.Image) []lineage.Strand { return []lineage.Strand{x.OfLocal(i)} }, nil)
}

func storedLineage(all *lineages) table.Tab[aws.RepositoryImage] {
	return lineageTabOf(all, storedID, func(x *lineage.Index, r aws.RepositoryImage) []lineage.Strand { return []lineage.Strand{x.OfStored(r)} }, nil)
}

// lineageAged says that time has passed for a tab.
type lineageAged struct{ tab *lineageTab }

// Resize asks when the tab comes into sight.
func (t *lineageTab) Resize(w, h int) tea.Cmd {
	cmd := t.Document.Resize(w, h)
	seen := w > 0 && h > 0
	first := seen && !t.seen
	if t.seen = seen; !first {
		return cmd
	}
	return tea.Batch(cmd, t.look(), t.age())
}

// look asks for what this row needs and is not known.
func (t *lineageTab) look() tea.Cmd {
	cmds := []tea.Cmd{t.all.Look()}
	for _, s := range t.strands() {
		cmds = append(cmds, t.all.Want(s.Wants))
	}
	return tea.Batch(cmds...)
}

// age draws the age anew as it grows.
func (t *lineageTab) age() tea.Cmd {
	if t.aged {
		return nil
	}
	t.aged = true
	return tea.Tick(oldAfter, func(time.Time) tea.Msg { return lineageAged{t} })
}

// Update takes new content of the row, and what is known by now.
func (t *lineageTab) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case lineageKnown, pane.Acted, engineChanged:
	case lineageAged:
		if msg.tab != t {
			return nil
		}
		t.aged = false
		if t.seen {
			t.Set(t.lines)
			return t.age()
		}
		return nil
	default:
		mine, next := t.take(msg)
		if !mine {
			return t.Document.Update(msg)
		}
		return tea.Batch(next, t.again())
	}
	return t.again()
}

// again draws what is known by now, and asks for what is not.
func (t *lineageTab) again() tea.Cmd {
	if !t.seen {
		return nil
	}
	t.Set(t.lines)
	return t.look()
}

// Commands add reading anew.
func (t *lineageTab) Commands() []pane.Command {
	return append(t.Document.Commands(), pane.Command{Key: "ctrl+r", Does: "read again", Run: t.all.Anew})
}

// lines draws the strands, and then what is missing of them.
func (t *lineageTab) lines(w int) []string {
	now := style.Now()
	w = max(1, w)
	var lines []string
	footer, failed := t.footer(w)
	if t.above != nil {
		lines = append(t.above(w), "")
	}
	if failed {
		lines = append(lines, now.Bad.Render(style.Cut(" ✗ Not all could be read: see below.", w)), "")
	}
	for i, s := range t.strands() {
		if i > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, strandLines(s, t.all.now.World(), w)...)
	}
	if len(lines) == 0 {
		lines = append(lines, now.Dim.Render(" Which images these are is not known yet."))
	}
	return append(lines, footer...)
}

// footer tells what was not read and why, and how old the rest is. failed says
// that something will not come.
func (t *lineageTab) footer(w int) (lines []string, failed bool) {
	now := style.Now()
	var waiting []string
	for _, g := range grouped(t.all.now.World().Gaps()) {
		if g.err == nil {
			waiting = append(waiting, g.what)
			continue
		}
		lines = append(lines, styled(now.Bad, padded(hanging("✗ ", "not read: "+g.what+". "+g.cause, w-1)))...)
		if g.do != "" {
			lines = append(lines, styled(now.Accent, padded(hanging("→ ", g.do, w-1)))...)
		}
	}
	failed = len(lines) > 0
	switch {
	case len(waiting) > 0:
		lines = append(lines, styled(now.Dim, padded(hanging("… ", "reading "+strings.Join(waiting, ", "), w-1)))...)
	case t.all.busy():
		lines = append(lines, now.Dim.Render(" … reading again"))
	}
	if age := t.all.age(time.Now()); age != "" {
		lines = append(lines, now.Dim.Render(style.Cut(" read "+age+" · ctrl+r reads again", w)))
	}
	if len(lines) == 0 {
		return nil, false
	}
	return append([]string{""}, lines...), failed
}

// missing is parts that are missing for the same reason.
type missing struct {
	kind            lineage.Kind
	what, cause, do string
	err             error
	n               int
}

// grouped puts together what is missing for the same reason.
func grouped(gaps []lineage.Gap) []missing {
	var groups []missing
	for _, g := range gaps {
		m := missing{kind: g.Part.Kind, what: gapText(g.Part), err: g.Err, n: 1}
		if g.Err != nil {
			m.cause = causeOf(g.Err)
			var told *diagnose.Error
			if errors.As(g.Err, &told) {
				m.do = told.Do
			}
		}
		last := len(groups) - 1
		if last >= 0 && groups[last].kind == m.kind && groups[last].cause == m.cause && (groups[last].err == nil) == (m.err == nil) {
			groups[last].n++
			continue
		}
		groups = append(groups, m)
	}
	for i := range groups {
		if more := groups[i].n - 1; more > 0 {
			groups[i].what += fmt.Sprintf(" and %d more", more)
		}
	}
	return groups
}

// strandLines are what is to be told of an image, and then its places from the
// local image to the tasks.
func strandLines(s lineage.Strand, world *lineage.World, w int) []string {
	now := style.Now()
	head := style.Plain(s.Reference)
	if s.Container != "" {
		head = style.Plain(s.Container) + "  " + head
	}
	if s.Count > 1 {
		head += fmt.Sprintf("  ×%d", s.Count)
	}
	var lines []string
	for _, l := range style.Wrap(head, max(1, w-1)) {
		lines = append(lines, " "+now.Accent.Render(l))
	}
	for _, f := range s.Told {
		lines = append(lines, findingLines(f, w)...)
	}
	if s.Elsewhere != "" && len(s.Stored) == 0 {
		lines = append(lines, findingLines(lineage.Finding{Level: lineage.Note, Text: s.Elsewhere + " is no repository of this account and region: its tags are not read."}, w)...)
	}
	return append(append(lines, ""), factLines(placeFacts(s, world), w)...)
}

var findingSigns = map[lineage.Level]string{lineage.Trouble: "✗ ", lineage.Behind: "▲ ", lineage.Note: "· ", lineage.Good: "✓ "}

func findingLines(f lineage.Finding, w int) []string {
	t := style.Now()
	looks := map[lineage.Level]style.Style{lineage.Trouble: t.Bad, lineage.Behind: t.Busy, lineage.Note: t.Dim, lineage.Good: t.Good}
	lines := styled(looks[f.Level], padded(hanging(findingSigns[f.Level], f.Text, w-1)))
	if f.Do != "" {
		lines = append(lines, styled(t.Accent, padded(padded(padded(hanging("→ ", f.Do, w-3)))))...)
	}
	return lines
}

// mostPlaces is how many places of one kind are named.
const mostPlaces = 12

// placeFacts are the places of an image, on its way from here to the tasks.
func placeFacts(s lineage.Strand, world *lineage.World) []fact {
	var local, stored, definitions, services, tasks []string
	for _, i := range s.Local {
		local = append(local, fmt.Sprintf("%s  built %s  %s", localName(i), clock(i.Created), bytesText(i.Size)))
	}
	for _, i := range s.Stored {
		stored = append(stored, fmt.Sprintf("%s  %s  pushed %s", i.Repository, cmp.Or(strings.Join(i.Tags, " "), "no tag"), clock(i.Pushed)))
	}
	for _, d := range s.Definitions {
		definitions = append(definitions, fmt.Sprintf("%s  %s", d.Definition, naming(d)))
	}
	for _, u := range s.Services {
		services = append(services, fmt.Sprintf("%s in %s  %s  wants %s", u.Name, u.Cluster, u.Definition, plural(u.Desired, "task")))
	}
	for _, u := range s.Running {
		tasks = append(tasks, u.String())
	}
	read := func(kind lineage.Kind) bool { return world.Read(lineage.Part{Kind: kind}) }
	facts := []fact{{label: "digest", value: s.Digest, style: style.Now().Dim}}
	facts = append(facts, placesOf("local", local, map[bool]string{true: "not on this engine"}[read(lineage.LocalImages)])...)
	facts = append(facts, placesOf("repository", stored, map[bool]string{true: "not in a repository"}[len(s.Wants) > 0 && allRead(s.Wants, world)])...)
	facts = append(facts, placesOf("definitions", definitions, "")...)
	facts = append(facts, placesOf("services", services, "")...)
	return append(facts, placesOf("tasks", tasks, "")...)
}

func allRead(uris []string, world *lineage.World) bool {
	for _, uri := range uris {
		if !world.Read(lineage.Part{Kind: lineage.RepositoryImages, Name: uri}) {
			return false
		}
	}
	return true
}

// localName is what an image is called here; one that has lost its tag by the
// beginning of its digest.
func localName(i docker.Image) string {
	if name, digest, ok := strings.Cut(i.Reference(), "@"); ok {
		return name + "@" + lineage.Short(digest)
	}
	return imageName(i)
}

// naming says how a definition names an image.
func naming(d lineage.DefinitionUse) string {
	r := lineage.Parse(d.Reference)
	switch {
	case r.Digest != "":
		return "by digest"
	case d.Moved:
		return "by tag " + r.Tag + ", another image by now"
	}
	return "by tag " + r.Tag
}

// placesOf are places below each other, the first behind the label.
func placesOf(label string, places []string, nothing string) []fact {
	if len(places) == 0 {
		return []fact{{label: label, value: nothing, style: style.Now().Dim}}
	}
	var facts []fact
	for i, p := range places {
		if i == mostPlaces {
			return append(facts, fact{label: "", value: fmt.Sprintf("and %d more", len(places)-i), style: style.Now().Dim})
		}
		facts = append(facts, fact{label: label, value: p})
		label = ""
	}
	return facts
}
