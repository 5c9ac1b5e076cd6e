package ui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/docker"
	"gantry/ui/pane"
	"gantry/ui/style"
	"gantry/ui/text"
)

// registrar gives accounts at registries, and forgets one that was refused.
type registrar interface {
	RegistryLogin(ctx context.Context, scope aws.Scope) (aws.RegistryLogin, error)
	ForgetRegistryLogin(scope aws.Scope)
}

// carrier is what moves images between the engine and a registry.
type carrier interface {
	Push(ctx context.Context, ref string, auth docker.RegistryAuth, progress func(docker.TransferProgress)) (digest string, err error)
	Pull(ctx context.Context, ref, platform string, auth docker.RegistryAuth, progress func(docker.TransferProgress)) (digest string, err error)
	Tag(ctx context.Context, source, target string) error
	CommandLine(command docker.Command) string
}

// transfer is a push or a pull on the stage: a line for each layer.
type transfer struct {
	work[transferState]
	*text.Document
	way  way
	rate rate
}

// transferState is a push or a pull at one moment.
type transferState struct {
	doing    string // in words, before layers move: "signing in"
	progress docker.TransferProgress
	made     *aws.Repository // that it has created
	digest   string          // what came of it
}

// way is which image goes where.
type way interface {
	// words are those for before, while and after: push, pushing, pushed.
	words() [3]string
	// name is the image's, from its place to the other.
	name() string
	// run is the next try. What it needs of the way is fixed when it is asked
	// for; it runs outside the event loop.
	run() func(ctx context.Context, tell func(transferState)) error
	// reached takes what a try has done.
	reached(s transferState)
	// reference names the image at its place once its digest is known.
	reference(digest string) string
	// commands do the same by hand.
	commands() []string
	// fixes are what gantry can do about a failure.
	fixes(err error, again func() tea.Cmd) []pane.Command
	// changed is what is another once it has ended well.
	changed() tea.Cmd
}

func newTransfer(w way, now func() time.Time) *transfer {
	t := &transfer{way: w}
	t.work = work[transferState]{now: now, of: t}
	t.Document = text.New(t.way.words()[0]+" "+t.way.name(), t.lines)
	return t
}

// Init takes the host and begins.
func (t *transfer) Init(h pane.Host) tea.Cmd {
	t.host = h
	return tea.Batch(t.Document.Init(h), t.again())
}

// again begins, from what is there by now.
func (t *transfer) again() tea.Cmd {
	t.rate = rate{}
	run := t.way.run()
	return t.begin(t.Title(), func(ctx context.Context, tell func(transferState), report func(done, total int64)) error {
		return run(ctx, func(s transferState) {
			report(s.progress.Bytes())
			tell(s)
		})
	})
}

// Update takes what the work says, and the mouse.
func (t *transfer) Update(msg tea.Msg) tea.Cmd {
	return tea.Batch(t.work.Update(msg), t.Document.Update(msg))
}

func (t *transfer) draw() { t.Set(t.lines) }

func (t *transfer) progressed() tea.Cmd {
	s := t.state()
	t.way.reached(s.at)
	done, _ := s.at.progress.Bytes()
	t.rate.note(t.now(), done)
	switch {
	case s.over && s.err == nil:
		return t.way.changed()
	case s.over && s.at.made != nil:
		return pane.Send(pane.Acted{What: actedRepository})
	}
	return nil
}

// notice says how it ended. Why it failed stands in its tab.
func (t *transfer) notice(err error) pane.Notice {
	switch {
	case errors.Is(err, context.Canceled):
		return pane.Notice{Text: "canceled: " + t.Title()}
	case err != nil:
		return pane.Notice{Text: "✗ " + t.Title() + " failed: see its tab"}
	}
	text := "✓ " + t.way.words()[2] + " " + t.way.name()
	if digest := t.state().at.digest; digest != "" {
		text += " " + digest
	}
	return pane.Notice{Text: text}
}

// Commands copy, begin again, mend what can be mended, and end.
func (t *transfer) Commands() []pane.Command {
	s, words := t.state(), t.way.words()
	cs := []pane.Command{{Key: "x", Does: "close", Run: t.leave}}
	switch {
	case t.load.Busy():
		cs[0] = pane.Command{Key: "x", Does: "cancel", Run: func() tea.Cmd {
			return t.askCancel("Layers that are there stay there: the next " + words[0] + " leaves them out.")
		}}
	case s.err != nil:
		retry := pane.Command{Key: "r", Does: "try again", Mutates: true, Run: t.again}
		cs = append(append(t.way.fixes(s.err, t.again), retry), cs...)
	default:
		cs = append(cs, pane.Command{Key: "r", Does: words[0] + " again", Mutates: true, Run: t.again})
	}
	if s.at.digest != "" {
		cs = append(cs, pane.Command{Key: "y", Does: "copy URI@digest", Run: func() tea.Cmd {
			return toClipboard(t.host, t.way.reference(s.at.digest))
		}})
	}
	cs = append(cs, pane.Command{Key: "Y", Does: "copy the commands", Run: func() tea.Cmd {
		return toClipboard(t.host, strings.Join(t.way.commands(), "\n"))
	}})
	for _, c := range t.Document.Commands() {
		if c.Key != "y" {
			cs = append(cs, c)
		}
	}
	return cs
}

// lines are the whole transfer, of which the document shows a part.
func (t *transfer) lines(w int) []string {
	lines := append(t.summary(w), "")
	s, theme := t.state(), style.Now()
	lines = append(lines, layerLines(s.at.progress, w)...)
	if s.over && s.err == nil && len(s.at.progress.Layers) == 0 {
		lines = append(lines, theme.Dim.Render(style.Cut(" Every layer was there already.", w)))
	}
	if s.over && s.err != nil && !t.canceled() {
		lines = append(append(lines, ""), padded(errorLines(s.err, w-2))...)
		for _, c := range t.way.fixes(s.err, t.again) {
			lines = append(lines, " "+theme.Key.Render(c.Key)+" "+theme.Accent.Render(c.Does))
		}
	}
	lines = append(lines, "", theme.Dim.Render(style.Cut(" the same by hand:", w)))
	for _, c := range t.way.commands() {
		lines = append(lines, styled(theme.Dim, padded(style.Wrap(style.Plain(c), w-1)))...)
	}
	return lines
}

// summary are the two lines above the layers.
func (t *transfer) summary(w int) []string {
	theme, s, words := style.Now(), t.state(), t.way.words()
	took := t.took()
	head, look := fmt.Sprintf("● %s %s · %s", words[1], t.way.name(), secondsText(took.Truncate(time.Second))), theme.Busy
	below := cmp.Or(s.at.doing, "beginning …")
	switch {
	case s.over && t.canceled():
		head, below, look = "– canceled after "+secondsText(took), t.way.name(), theme.Dim
	case s.over && s.err != nil:
		head, look = fmt.Sprintf("✗ %s %s failed after %s", words[0], t.way.name(), secondsText(took)), theme.Bad
		if len(s.at.progress.Layers) > 0 {
			below = t.total(w)
		}
	case s.over:
		head, below, look = fmt.Sprintf("✓ %s %s in %s", words[2], t.way.name(), secondsText(took)), t.way.reference(s.at.digest), theme.Good
	case len(s.at.progress.Layers) > 0:
		below = t.total(w)
	}
	lines := []string{look.Render(style.Cut(" "+style.Plain(head), w))}
	for _, l := range style.Wrap(style.Plain(below), w-2) {
		lines = append(lines, " "+l)
	}
	return lines
}

// total is how far all layers together are.
func (t *transfer) total(w int) string {
	p := t.state().at.progress
	done, total := p.Bytes()
	ended, all := p.Count()
	parts := []string{fmt.Sprintf("%d of %s", ended, plural(all, "layer"))}
	if total > 0 {
		parts[0] = bar(done, total, min(barWidth, max(1, w/5))) + fmt.Sprintf(" %d %%", done*100/total)
		parts = append(parts, bytesText(done)+" of "+bytesText(total))
	}
	if speed := t.rate.perSecond(); speed > 0 {
		parts = append(parts, bytesText(int64(speed))+"/s")
		if left := float64(total-done) / speed; total > done && left < 24*3600 {
			parts = append(parts, secondsText(time.Duration(left+1)*time.Second)+" left")
		}
	}
	return strings.Join(parts, " · ")
}

// bar is done of total in w cells.
func bar(done, total int64, w int) string {
	full := int(float64(min(done, total)) / float64(total) * float64(w))
	return strings.Repeat("▓", full) + strings.Repeat("░", w-full)
}

// rate is how fast bytes move: of the last seconds, so that a pause shows.
type rate struct{ samples []sample }

type sample struct {
	at   time.Time
	done int64
}

// rateOver is the time that a rate is taken over.
const rateOver = 5 * time.Second

func (r *rate) note(at time.Time, done int64) {
	r.samples = append(r.samples, sample{at, done})
	for len(r.samples) > 2 && at.Sub(r.samples[1].at) >= rateOver {
		r.samples = r.samples[1:]
	}
}

// perSecond is 0 as long as there is no telling.
func (r *rate) perSecond() float64 {
	if len(r.samples) < 2 {
		return 0
	}
	first, last := r.samples[0], r.samples[len(r.samples)-1]
	took := last.at.Sub(first.at).Seconds()
	if took < 0.2 {
		return 0
	}
	return float64(last.done-first.done) / took
}
