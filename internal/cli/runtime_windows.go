package cli

import "gantry/aws/sandbox"

// withoutEngine is what runs tasks when no engine can, and the demo app in any
// case: on Windows nothing does, and they are states only.
func withoutEngine() (sandbox.Runtime, string, error) { return sandbox.None(), noRuntime, nil }
