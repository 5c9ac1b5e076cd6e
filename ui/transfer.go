package ui

import (
	"fmt"
	"time"

	"gantry/docker"
	"gantry/ui/style"
)

// layerLines are the layers of a push or a pull, a line for each: its id, the
// engine's word, and a bar with bytes where they are known.
func layerLines(p docker.TransferProgress, w int) []string {
	t := style.Now()
	lines := make([]string, 0, len(p.Layers)+1)
	for _, l := range p.Layers {
		look := t.Accent
		switch {
		case l.Ended:
			look = t.Text
		case l.Total == 0:
			look = t.Dim
		}
		lines = append(lines, " "+look.Render(layerLine(l, w-2)))
	}
	return lines
}

func layerLine(l docker.LayerProgress, w int) string {
	name := style.Fit(style.Plain(l.ID), 13) + style.Plain(l.State)
	if l.Total == 0 {
		if l.Ended {
			name += " ✓"
		}
		return style.Cut(name, w)
	}
	return transferLine(docker.Transfer{Name: name, Current: l.Done, Total: l.Total, Done: l.Ended}, w)
}

// transferWords are a push or a pull in a few words: layers, bytes and, once
// there is something to measure, the rate since it began.
func transferWords(p docker.TransferProgress, took time.Duration) string {
	ended, all := p.Count()
	text := fmt.Sprintf("%d of %s", ended, plural(all, "layer"))
	done, total := p.Bytes()
	if total > 0 {
		text += fmt.Sprintf(" · %s of %s", bytesText(done), bytesText(total))
	}
	if rate := rateText(done, took); rate != "" {
		text += " · " + rate
	}
	return text
}

// rateText is bytes per second; empty as long as that would be a guess.
func rateText(done int64, took time.Duration) string {
	if done == 0 || took < time.Second {
		return ""
	}
	return bytesText(int64(float64(done)/took.Seconds())) + "/s"
}
