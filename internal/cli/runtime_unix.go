//go:build unix

package cli

// DefaultRuntime is what runs the sandbox's tasks unless told otherwise.
const DefaultRuntime = "process"
