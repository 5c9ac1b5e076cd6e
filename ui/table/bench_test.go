package table_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/table"
)

// many are rows as an account has them: alike at first sight, in no order.
func many(n int) []service {
	rows := make([]service, n)
	for i, j := range rand.New(rand.NewPCG(1, 2)).Perm(n) {
		rows[i] = service{ID: fmt.Sprintf("arn:aws:ecs:eu-west-1:000000000000:service/shop/svc-%06d", j), Name: fmt.Sprintf("svc-%06d", j), Run: j % 7}
	}
	return rows
}

// loaded is a table that holds rows; show is what is left to do from the
// arrival of the rows to the screen.
func loaded(rows []service, order table.Order, filter string) (t *table.Table[service], show func()) {
	s := spec(nil)
	s.Order = order
	s.Source = table.Source[service]{Key: "k", List: func(_ context.Context, page func([]service)) error {
		page(rows)
		return nil
	}}
	t = table.New(s)
	t.Focus()
	t.Resize(120, 41)
	msg := first(t.Init(&host{}))
	if filter != "" {
		for _, c := range t.Commands() {
			if c.Key == "/" {
				c.Run()
			}
		}
		t.Update(tea.PasteMsg{Content: filter})
	}
	return t, func() {
		pump(t, msg)
		_ = t.View()
	}
}

// pump handles a message and what follows from it until all rows show.
func pump(t *table.Table[service], msg tea.Msg) {
	msgs := make(chan tea.Msg, 100)
	var run func(tea.Cmd)
	run = func(cmd tea.Cmd) {
		if cmd == nil {
			return
		}
		go func() {
			switch m := cmd().(type) {
			case nil:
			case tea.BatchMsg:
				for _, c := range m {
					run(c)
				}
			default:
				msgs <- m
			}
		}()
	}
	for !t.Whole() {
		run(t.Update(msg))
		if !t.Whole() {
			msg = <-msgs
		}
	}
}

func BenchmarkCursorDraw100k(b *testing.B) {
	for _, bb := range []struct {
		name string
		keys []string // pressed before
	}{{"plain", nil}, {"all marked", []string{"ctrl+a"}}} {
		b.Run(bb.name, func(b *testing.B) {
			t, show := loaded(many(100_000), table.Order{}, "")
			defer t.Close()
			show()
			for _, name := range bb.keys {
				press(t, name)
			}
			b.ResetTimer()
			for i := range b.N {
				name := "down"
				if i%200 > 100 {
					name = "up"
				}
				press(t, name)
				_ = t.View()
			}
		})
	}
}

func press(t *table.Table[service], name string) {
	for _, c := range t.Commands() {
		if c.Matches(key(name)) {
			c.Run()
			return
		}
	}
}

func BenchmarkFirstDraw100k(b *testing.B) {
	rows := many(100_000)
	for _, bb := range []struct {
		name   string
		order  table.Order
		filter string
	}{
		{"by name", table.Order{}, ""},
		{"by number", table.Order{Column: "Run"}, ""},
		{"filtered", table.Order{}, "name:1"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				t, show := loaded(rows, bb.order, bb.filter)
				b.StartTimer()
				show()
				b.StopTimer()
				if !t.Whole() || (bb.filter != "") != (len(t.Rows()) < len(rows)) {
					b.Fatalf("%d rows show", len(t.Rows()))
				}
				t.Close()
				b.StartTimer()
			}
		})
	}
}

// first is the answer to the first load.
func first(cmd tea.Cmd) tea.Msg {
	msg := cmd()
	if batch, ok := msg.(tea.BatchMsg); ok {
		return first(batch[0])
	}
	return msg
}
