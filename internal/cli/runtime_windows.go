package cli

// DefaultRuntime is what runs the sandbox's tasks unless told otherwise: on
// Windows nothing does, and tasks are states only.
const DefaultRuntime = "none"
