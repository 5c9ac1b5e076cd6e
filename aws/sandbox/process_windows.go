package sandbox

import "gantry/internal/diagnose"

// Process is not available on Windows: a container there could not be told to
// end, nor be made to end with its owner.
func Process(ProcessConfig) (Runtime, error) {
	return nil, &diagnose.Error{
		What:  "run tasks as processes",
		Cause: "the process runtime needs Unix signals, process groups and inherited descriptors, which Windows lacks",
		Do:    "use --runtime none, which keeps states without processes",
	}
}
