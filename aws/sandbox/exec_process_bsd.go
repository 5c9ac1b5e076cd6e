//go:build unix && !linux

package sandbox

import (
	"context"
	"errors"
)

// canConfine is false: namespaces are Linux's.
func (p *processes) canConfine() bool { return false }

func (p *processes) execConfined(context.Context, RunningContainer, []string) (Terminal, error) {
	return nil, errors.ErrUnsupported
}
