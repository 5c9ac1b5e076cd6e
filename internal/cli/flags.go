package cli

import (
	"github.com/spf13/cobra"

	"gantry/aws"
)

// AWSFlags gives a command, and all of its subcommands, the flags that say
// which AWS to speak to and whether it may be changed.
func AWSFlags(cmd *cobra.Command, o *aws.Options) {
	f := cmd.PersistentFlags()
	f.StringVar(&o.Profile, "profile", "", "profile of the shared AWS configuration")
	f.StringVar(&o.Region, "region", "", "AWS region")
	f.BoolVar(&o.ReadOnly, "read-only", false, "leave out everything that changes something")
}

// taskFlags name a container of a task.
type taskFlags struct{ cluster, task, container string }

func (t *taskFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.cluster, "cluster", "", "cluster of the task, by name or ARN")
	f.StringVar(&t.task, "task", "", "task, by ID or its beginning, ARN, or SERVICE/ID as the explorer shows it")
	f.StringVar(&t.container, "container", "", "container of the task; needed where there are several")
}
