//go:build unix && !linux

package sandbox

import (
	"context"
	"errors"
)

// confines is false: namespaces are Linux's.
func (p *processes) confines() bool { return false }

func (p *processes) execConfined(context.Context, RunningContainer, []string) (Terminal, error) {
	return nil, errors.ErrUnsupported
}
