package text

import (
	"errors"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"gantry/ui/pane"
)

// everything is the since that reads the whole log.
const everything = "all"

var errSince = errors.New("a time like 5m, 2h30m, 3d, 14:30 or 2026-03-04 14:30, or all")

// parseSince understands how far back to read.
func parseSince(s string, now time.Time) (Mark, error) {
	s = strings.TrimSpace(s)
	if s == everything {
		return Mark{}, nil
	}
	if d, ok := parseDuration(s); ok {
		return Mark{At: now.Add(-d)}, nil
	}
	for _, format := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(format, s, now.Location()); err == nil {
			return Mark{At: at}, nil
		}
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return Mark{At: at}, nil
	}
	clock, err := time.ParseInLocation("15:04", s, now.Location())
	if err != nil {
		return Mark{}, errSince
	}
	at := time.Date(now.Year(), now.Month(), now.Day(), clock.Hour(), clock.Minute(), 0, 0, now.Location())
	if at.After(now) {
		at = at.AddDate(0, 0, -1)
	}
	return Mark{At: at}, nil
}

// parseDuration understands Go's durations, and days.
func parseDuration(s string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err == nil && n > 0 && n < 10_000
	}
	d, err := time.ParseDuration(s)
	return d, err == nil && d > 0
}

// begins is where reading anew begins.
func (l *Log) begins() Mark {
	if m, err := parseSince(l.since, time.Now()); l.since != "" && err == nil {
		return m
	}
	return Mark{Tail: l.options.Tail}
}

func (l *Log) askSince() tea.Cmd {
	l.host.Ask(pane.Dialog{
		Title: "Read the log since",
		Fields: []pane.Field{{Label: "Since", Value: l.since, Choices: func(typed string) []pane.Choice {
			var fit []pane.Choice
			for _, c := range []string{"5m", "15m", "1h", "6h", "24h", "7d", everything} {
				if strings.HasPrefix(c, typed) {
					fit = append(fit, pane.Choice{Value: c})
				}
			}
			return fit
		}}},
		Body: pane.Static("5m, 2h30m, 3d, 14:30, 2026-03-04 14:30 or all. Of more than is kept, the newest lines stay."),
		Check: func(values []string) error {
			_, err := parseSince(values[0], time.Now())
			return err
		},
		Do: func(values []string) tea.Cmd {
			l.since = strings.TrimSpace(values[0])
			return l.restart(l.begins())
		},
	})
	return nil
}
