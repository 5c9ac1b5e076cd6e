package docker

import (
	"strconv"
	"time"
)

// LogsCommand is the equal of Logs, but for Limit and Only, which docker has no
// flags for.
func LogsCommand(name string, o LogOptions) Command {
	words := Command{"logs", "--timestamps"}
	if o.Follow {
		words = append(words, "--follow")
	}
	if o.Tail > 0 {
		words = append(words, "--tail", strconv.Itoa(o.Tail))
	}
	if !o.Since.IsZero() {
		words = append(words, "--since", o.Since.Format(time.RFC3339Nano))
	}
	if !o.Until.IsZero() {
		words = append(words, "--until", o.Until.Format(time.RFC3339Nano))
	}
	return append(words, name)
}

// TailCommand is the equal of TailFile.
func TailCommand(name, file string, o TailOptions) Command {
	words := Command{"exec", name, "tail", "-n", strconv.Itoa(orElse(max(o.Lines, 0), defaultTail))}
	if o.Follow {
		words = append(words, "-F")
	}
	return append(words, file)
}

// StatsCommand is the equal of Stats.
func StatsCommand(name string) Command { return Command{"stats", name} }
