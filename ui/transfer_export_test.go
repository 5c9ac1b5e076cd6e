package ui

import (
	"time"

	"github.com/charmbracelet/x/ansi"

	"gantry/docker"
)

// TransferWords is transferWords.
func TransferWords(p docker.TransferProgress, took time.Duration) string {
	return transferWords(p, took)
}

// LayerLines are layerLines without colours.
func LayerLines(p docker.TransferProgress, w int) []string {
	lines := layerLines(p, w)
	for i := range lines {
		lines[i] = ansi.Strip(lines[i])
	}
	return lines
}
