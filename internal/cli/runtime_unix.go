//go:build unix

package cli

import "gantry/aws/sandbox"

// withoutEngine is what runs tasks when no engine can, and the demo app in any
// case.
func withoutEngine() (sandbox.Runtime, string, error) {
	r, err := sandbox.Process(sandbox.ProcessConfig{})
	return r, processRuntime, err
}
