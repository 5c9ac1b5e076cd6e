package ui_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"gantry/internal/diagnose"
	"gantry/ui"
	"gantry/ui/pane"
	"gantry/ui/uitest"
)

// probe is a pane that shows what reaches it.
type probe struct {
	name   string
	host   pane.Host
	got    []string
	typing bool
	live   bool
	gone   bool
	closed bool
	w, h   int
	more   []pane.Command
}

func (p *probe) Title() string { return p.name }

func (p *probe) Init(h pane.Host) tea.Cmd {
	p.host = h
	return nil
}

func (p *probe) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		p.note("key " + msg.String())
	case tea.PasteMsg:
		p.note("paste " + msg.Content)
	case tea.MouseClickMsg:
		p.note(fmt.Sprintf("click %d,%d", msg.X, msg.Y))
	case tea.MouseWheelMsg:
		p.note(fmt.Sprintf("wheel %d,%d", msg.X, msg.Y))
	}
	return nil
}

func (p *probe) note(s string) { p.got = append(p.got, s) }

func (p *probe) Resize(w, h int) tea.Cmd {
	p.w, p.h = w, h
	return nil
}

func (p *probe) View() string {
	return fmt.Sprintf("%s[%s]", p.name, strings.Join(p.got, "; "))
}

func (p *probe) Typing() bool             { return p.typing }
func (p *probe) Live() bool               { return p.live }
func (p *probe) Gone() bool               { return p.gone }
func (p *probe) Close()                   { p.closed = true }
func (p *probe) Commands() []pane.Command { return p.more }

// stage puts two probes on the screen of 100 by 30 cells.
func stage(t *testing.T, readOnly ui.Access) (one, two *probe, s *uitest.Screen) {
	t.Helper()
	one, two = &probe{name: "one"}, &probe{name: "two"}
	for _, p := range []*probe{one, two} {
		p.more = []pane.Command{
			{Key: "m", Does: "mutate", Mutates: true, Run: func() tea.Cmd { p.note("mutated"); return nil }},
			{Key: "A", Does: "ask", Run: func() tea.Cmd {
				p.host.Ask(pane.Dialog{
					Title: "Sure?", Body: pane.Static("really"),
					Do: func([]string) tea.Cmd { p.note("yes"); return nil },
				})
				return nil
			}},
			{Key: "F", Does: "fill in", Run: func() tea.Cmd {
				p.host.Ask(pane.Dialog{
					Title:  "Form",
					Fields: []pane.Field{{Label: "a", Value: "1"}, {Label: "b"}},
					Check: func(v []string) error {
						if v[0] == "bad" {
							return errors.New("not that")
						}
						return nil
					},
					Do: func(v []string) tea.Cmd { p.note(strings.Join(v, "+")); return nil },
				})
				return nil
			}},
			{Key: "E", Does: "err", Run: func() tea.Cmd {
				p.host.Say(pane.Notice{Err: &diagnose.Error{What: "it broke", Cause: "so it is", Do: "mend it"}})
				return nil
			}},
			{Key: "S", Does: "session", Run: func() tea.Cmd {
				p.host.Open(&probe{name: "shell", typing: true, live: true})
				return nil
			}},
			{Key: "R", Does: "run a job", Run: func() tea.Cmd {
				p.host.Start(&pane.Job{Name: "long work", Run: func(ctx context.Context, report func(int64, int64)) error {
					report(42, 100)
					<-ctx.Done()
					return ctx.Err()
				}})
				return nil
			}},
		}
	}
	f := ui.NewFrame(readOnly, map[int]pane.Pane{1: one, 2: two})
	t.Cleanup(f.Close)
	s = uitest.Run(t, f, 100, 30)
	s.Wait("one[")
	return one, two, s
}

func TestKeysReachTheFocusedPaneOnly(t *testing.T) {
	_, _, s := stage(t, ui.ReadWrite)
	s.Type("a")
	s.Wait("one[key a]")
	s.Type("2b")
	s.Wait("two[key b]")
	s.Wait("one[key a]")
	s.Type("\tc") // the stage is empty: round to one
	s.Wait("one[key a; key c]")
}

func TestTypedAheadKeysMeetTheDialog(t *testing.T) {
	_, _, s := stage(t, ui.ReadWrite)
	s.Type("Ay")
	s.Wait("one[yes]")
	s.Type("An")
	s.Type("Ax\x03")
	s.Type("z") // proves that the dialogs are gone
	s.Type("k")
	s.Wait("one[yes; key k]")
}

func TestFormFieldsAreReplacedClearedAndChecked(t *testing.T) {
	_, _, s := stage(t, ui.ReadWrite)
	s.Type("F5\t7\r") // typing replaces the value
	s.Wait("one[5+7]")
	s.Type("F\x15\r") // ctrl+u clears
	s.Wait("5+7; +]")
	s.Type("Fbad\r")
	s.Wait("not that")
	s.Type("\x15ok\r")
	s.Wait("; ok+]")
}

func TestPasteReachesTheTypingPaneOrTheDialog(t *testing.T) {
	_, _, s := stage(t, ui.ReadWrite)
	s.Type("\x1b[200~nobody types\x1b[201~")
	s.Type("F\x15\x1b[200~pasted\x1b[201~\r")
	s.Wait("one[pasted+]")
	s.Type("S\x1b[200~to the shell\x1b[201~")
	s.Wait("shell[paste to the shell]")
	s.Wait("one[pasted+]")
}

func TestASessionGetsEveryKeyButOne(t *testing.T) {
	_, _, s := stage(t, ui.ReadWrite)
	s.Type("S")
	s.Wait("shell[")
	s.Type("q2\x03")
	s.Wait("shell[key q; key 2; key ctrl+c]")
	s.Type("\x1d2") // ctrl+] and a pane's number
	s.Type("x")
	s.Wait("two[key x]")
	s.Type("\x1dr") // and back in
	s.Wait("key ctrl+c; key r]")
	s.Type("\x1d\x1d") // ctrl+] itself
	s.Wait("key r; key ctrl+]]")
}

func TestRedrawSendsTheWholeScreen(t *testing.T) {
	_, _, s := stage(t, ui.ReadWrite)
	s.Settle()
	// What gantry does not know of: another column's character in its frame.
	if _, err := s.Write([]byte("\x1b7\x1b[1;1Hgarbage\x1b8")); err != nil {
		t.Fatal(err)
	}
	s.Wait("garbage")
	s.Type("\x0c")
	s.Gone("garbage")
}

func TestQuitAsksWhileSomethingRuns(t *testing.T) {
	_, _, s := stage(t, ui.ReadWrite)
	s.Type("R")
	s.Wait("long work 42 %")
	s.Type("S\x1d1")
	s.Type("q")
	s.Wait("1 session and 1 job will end")
	s.Type("n")
	s.Gone("will end")
	s.Type("J")
	s.Wait("cancels the chosen job")
	s.Type("\r")
	s.Wait("long work: canceled")
	s.Type("qy")
	if err := s.Ended(); err != nil {
		t.Fatal(err)
	}
}

func TestQuitWithNothingRunningDoesNotAsk(t *testing.T) {
	_, _, s := stage(t, ui.ReadWrite)
	s.Type("q")
	if err := s.Ended(); err != nil {
		t.Fatal(err)
	}
}

func TestReadOnlyHasNoMutatingCommand(t *testing.T) {
	_, _, s := stage(t, ui.ReadOnly)
	s.Wait("READ-ONLY")
	s.Type("m")
	s.Wait("one[key m]") // an ordinary key now
	s.Type("?")
	s.Wait("All keys")
	s.Gone("mutate")
	s.Type("x:")
	s.Wait("Commands")
	s.Type("mut")
	s.Wait("nothing fits")
}

func TestErrorsAreToldInFull(t *testing.T) {
	_, _, s := stage(t, ui.ReadWrite)
	s.Type("E")
	for _, part := range []string{"✗ it broke", "so it is", "→ mend it"} {
		s.Wait(part)
	}
	s.Type("x")
	s.Gone("it broke")
}

func TestMouseReachesThePaneUnderIt(t *testing.T) {
	_, _, s := stage(t, ui.ReadWrite)
	s.ClickOn("two[")
	s.Wait("two[click 0,0]")
	s.Type("b")
	s.Wait("two[click 0,0; key b]") // it has the focus now
	s.Type("\x1b[<64;3;4M")         // the wheel, over one
	s.Wait("one[wheel 1,1]")
	s.Type("c")
	s.Wait("key b; key c]") // the wheel moves no focus
}

func TestPaletteRunsCommands(t *testing.T) {
	_, _, s := stage(t, ui.ReadWrite)
	s.Type(":fill\r")
	s.Wait("Form")
	s.Type("\x03:to two\r")
	s.Type("d")
	s.Wait("two[key d]")
}

func TestKeyLineAlwaysNamesHelp(t *testing.T) {
	_, _, s := stage(t, ui.ReadWrite)
	for _, w := range []int{100, 60, 44} {
		s.Resize(w, 30)
		s.Wait("? all keys")
	}
}

func TestZoomAndBack(t *testing.T) {
	one, _, s := stage(t, ui.ReadWrite)
	s.Type("z")
	s.Gone("two")
	s.Type("\x1b")
	s.Wait("two")
	if one.closed {
		t.Error("zooming closed a pane")
	}
}
