package cli

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"gantry/aws/sandbox"
	"gantry/docker"
	"gantry/internal/diagnose"
)

// Sandbox is `gantry sandbox`: the local AWS alone, for other tools.
func Sandbox() *cobra.Command {
	var config sandbox.Config
	var runtime string
	var at docker.Options
	c := &cobra.Command{
		Use:   "sandbox",
		Short: "Serve a local AWS until a signal ends it",
		Long: "Serves a local AWS on a loopback port. The first lines of its output are the exports that\n" +
			"point any AWS tool at it; after them it writes to stderr only.",
		Example: "gantry sandbox --listen 127.0.0.1:4566\neval \"$(gantry sandbox env)\"; aws ecs list-clusters",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			return serve(cmd, config, runtime, at)
		},
	}
	f := c.Flags()
	f.StringVar(&config.Listen, "listen", "127.0.0.1:0", "loopback address and port to serve on; port 0 takes a free one")
	f.StringVar(&runtime, "runtime", DefaultRuntime, RuntimeHelp)
	f.StringVar(&at.Context, "docker-context", "", "context of the Docker engine; else as the docker command chooses")
	f.BoolVar(&config.Empty, "empty", false, "start without the demo world")
	c.AddCommand(sandboxEnv())
	return c
}

func serve(cmd *cobra.Command, config sandbox.Config, runtime string, at docker.Options) error {
	s, err := StartSandbox(cmd.Context(), config, runtime, at)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), strings.Join(s.Exports(), "\n")); err != nil {
		_ = s.Close()
		return fmt.Errorf("print the exports: %w", err)
	}
	if runs, err := s.Runtime(cmd.Context()); err == nil {
		_, _ = fmt.Fprintln(cmd.ErrOrStderr(), "sandbox at "+s.URL()+", "+runs)
	}
	<-cmd.Context().Done()
	return s.Close()
}

// sandboxEnv is `gantry sandbox env`: the exports of the sandbox that runs.
func sandboxEnv() *cobra.Command {
	return &cobra.Command{
		Use:   "env",
		Short: "Print the exports that point AWS tools at the running sandbox",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			running, err := sandbox.Running()
			if err != nil {
				return fmt.Errorf("look for a running sandbox: %w", err)
			}
			if len(running) == 0 {
				return &diagnose.Error{What: "no sandbox is running", Do: "start one: gantry --sandbox, or gantry sandbox"}
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), strings.Join(running[0].Exports(), "\n"))
			return err
		},
	}
}
