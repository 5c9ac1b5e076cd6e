package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"gantry/internal/diagnose"
)

// numbered is a list of n ids in pages of size.
func numbered(n, size int) nextPage {
	return func(_ context.Context, token *string) ([]string, *string, error) {
		start := 0
		if token != nil {
			start, _ = strconv.Atoi(*token)
		}
		var ids []string
		for i := start; i < min(start+size, n); i++ {
			ids = append(ids, strconv.Itoa(i))
		}
		if start+size >= n {
			return ids, nil, nil
		}
		after := strconv.Itoa(start + size)
		return ids, &after, nil
	}
}

func echo(_ context.Context, ids []string) ([]string, error) { return slices.Clone(ids), nil }

func TestListingKeepsTheOrderWhateverTheOrderOfAnswers(t *testing.T) {
	const n = 40
	// Each describe waits for the one after it, as far as the workers reach.
	answered := make([]chan struct{}, n+1)
	for i := range answered {
		answered[i] = make(chan struct{})
	}
	describe := func(_ context.Context, ids []string) ([]string, error) {
		i, _ := strconv.Atoi(ids[0])
		if (i+1)%workers != 0 {
			<-answered[i+1]
		}
		close(answered[i])
		return ids, nil
	}
	var got []string
	pages := 0
	err := listing[string]{next: numbered(n, 10), size: 1, describe: describe}.run(t.Context(), func(rows []string) {
		pages++
		got = append(got, rows...)
	})
	if err != nil {
		t.Fatal(err)
	}
	want, _ := numbered(n, n).all(t.Context())
	if !slices.Equal(got, want) || pages != 4 {
		t.Errorf("got %v in %d pages", got, pages)
	}
}

func TestListingDeliversTheFirstPageBeforeTheListEnds(t *testing.T) {
	delivered := make(chan struct{})
	pages := numbered(30, 10)
	next := func(ctx context.Context, token *string) ([]string, *string, error) {
		if token != nil && *token == "20" {
			<-delivered
		}
		return pages(ctx, token)
	}
	got := 0
	err := listing[string]{next: next, size: 4, describe: echo}.run(t.Context(), func(rows []string) {
		if got == 0 {
			close(delivered)
		}
		got += len(rows)
	})
	if err != nil || got != 30 {
		t.Errorf("got %d rows, %v", got, err)
	}
}

func TestListingErrors(t *testing.T) {
	broken := errors.New("broken")
	failAt := func(at string) nextPage {
		pages := numbered(30, 10)
		return func(ctx context.Context, token *string) ([]string, *string, error) {
			if (token == nil && at == "") || (token != nil && *token == at) {
				return nil, nil, broken
			}
			return pages(ctx, token)
		}
	}
	failing := func(which func(int) bool) func(context.Context, []string) ([]string, error) {
		return func(_ context.Context, ids []string) ([]string, error) {
			if i, _ := strconv.Atoi(ids[0]); which(i) {
				return unread(ids, broken, func(id, why string) string { return id + " " + why }), broken
			}
			return ids, nil
		}
	}
	never := func(context.Context, []string) ([]string, error) { return nil, nil }
	for name, tt := range map[string]struct {
		list listing[string]
		rows int
		err  error
	}{
		"first page":     {listing[string]{next: failAt(""), size: 5, describe: never}, 0, broken},
		"a later page":   {listing[string]{next: failAt("10"), size: 5, describe: echo}, 10, broken},
		"one describe":   {listing[string]{next: numbered(30, 10), size: 5, describe: failing(func(i int) bool { return i == 15 })}, 30, nil},
		"every describe": {listing[string]{next: numbered(30, 10), size: 5, describe: failing(func(int) bool { return true })}, 30, broken},
		"empty":          {listing[string]{next: numbered(0, 10), size: 5, describe: never}, 0, nil},
		"endless": {listing[string]{next: func(context.Context, *string) ([]string, *string, error) {
			again := "again"
			return []string{"x"}, &again, nil
		}, size: 5, describe: echo}, 1, errSamePage},
	} {
		t.Run(name, func(t *testing.T) {
			rows := 0
			err := tt.list.run(t.Context(), func(page []string) { rows += len(page) })
			if rows != tt.rows || !errors.Is(err, tt.err) {
				t.Errorf("got %d rows and %v, want %d and %v", rows, err, tt.rows, tt.err)
			}
		})
	}
}

func TestListingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	describe := func(ctx context.Context, ids []string) ([]string, error) {
		if ids[0] == "5" { // one of those that the workers hold
			cancel()
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	err := listing[string]{next: numbered(1000, 100), size: 1, describe: describe}.run(ctx, func([]string) {
		t.Error("a page was delivered")
	})
	if ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestArrange(t *testing.T) {
	arn := func(s string) string { return "arn:aws:ecs:r:1:task/c/" + s }
	rows := []Task{{ARN: arn("c"), ID: "c"}, {ARN: arn("a"), ID: "a"}}
	missing := func(id, why string) Task { return Task{ARN: id, ID: nameOf(id), Failure: why} }
	got := arrange([]string{arn("a"), arn("b"), "c", arn("d")}, rows, (*Task).id, map[string]string{"b": "MISSING: gone"}, missing)
	var said []string
	for _, r := range got {
		said = append(said, r.ID+"="+r.Failure)
	}
	if want := []string{"a=", "b=MISSING: gone", "c=", "d=MISSING"}; !slices.Equal(said, want) {
		t.Errorf("got %v, want %v", said, want)
	}
}

func TestBriefly(t *testing.T) {
	for want, err := range map[string]error{
		"no permission for x": fmt.Errorf("w: %w", &diagnose.Error{What: "list", Cause: "no permission for x", Do: "y"}),
		"plain":               errors.New("plain"),
	} {
		if got := briefly(err); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func BenchmarkListing(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		err := listing[string]{next: numbered(5000, 100), size: 100, describe: echo}.run(b.Context(), func([]string) {})
		if err != nil {
			b.Fatal(err)
		}
	}
}
