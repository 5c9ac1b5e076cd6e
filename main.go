// Command gantry is a terminal explorer for people who run containers on
// Docker and Amazon ECS.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	tea "charm.land/bubbletea/v2"
	"charm.land/fang/v2"
	"github.com/spf13/cobra"

	"gantry/aws"
	"gantry/aws/sandbox"
	"gantry/aws/sandbox/demo"
	"gantry/docker"
	"gantry/internal/cli"
	"gantry/internal/diagnose"
	"gantry/internal/frames"
	"gantry/ui"
)

// version is set by the linker: -X main.version=v1.2.3.
var version = "dev"

func main() {
	if demo.Requested() {
		demo.Main()
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	root := command()
	if err := fang.Execute(ctx, root, fang.WithVersion(version), fang.WithErrorHandler(cli.PrintError)); err != nil {
		stop()
		os.Exit(cli.ExitStatus(err)) //nolint:gocritic // stop was called
	}
}

// explorer is the flags of `gantry` without a subcommand.
type explorer struct {
	aws              aws.Options
	docker           docker.Options
	sandbox          bool
	runtime          string
	cluster, service string
	debug            string
}

func command() *cobra.Command {
	var e explorer
	c := &cobra.Command{
		Use:   "gantry",
		Short: "A terminal explorer for containers on Docker and Amazon ECS",
		Long: "gantry shows ECS clusters, services and tasks, and acts on them at the press of a key.\n" +
			"With --sandbox it brings its own local AWS, which needs no account and no network.",
		Example: "gantry --sandbox\ngantry --profile prod --region eu-central-1 --read-only\ngantry --cluster shop --service web",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return e.run(cmd.Context()) },
	}
	cli.AWSFlags(c, &e.aws)
	c.AddCommand(cli.Exec(&e.aws), cli.Forward(&e.aws), cli.Copy(&e.aws), cli.Sandbox())
	f := c.Flags()
	f.BoolVar(&e.sandbox, "sandbox", false, "start a local AWS in this process and explore that")
	f.StringVar(&e.runtime, "runtime", cli.DefaultRuntime, cli.RuntimeHelp)
	f.StringVar(&e.cluster, "cluster", "", "start on this cluster, by name or ARN")
	f.StringVar(&e.service, "service", "", "start on this service of --cluster")
	f.StringVar(&e.docker.Context, "docker-context", "", "context of the Docker engine; else as the docker command chooses")
	f.StringVar(&e.debug, "debug", "", "write a structured log to this file (types and durations, no content)")
	return c
}

func (e explorer) run(ctx context.Context) error {
	if e.service != "" && e.cluster == "" {
		return &diagnose.Error{What: "--service needs --cluster", Cause: "service names are unique within a cluster only", Do: "gantry --cluster NAME --service " + e.service}
	}
	log, closeLog, err := cli.OpenLog(e.debug)
	if err != nil {
		return err
	}
	defer closeLog()
	o := ui.Options{Cluster: e.cluster, Service: e.service, Log: log}
	if e.aws.ReadOnly {
		o.Access = ui.ReadOnly
	}
	if e.sandbox {
		local, err := e.startSandbox(ctx, log)
		if err != nil {
			return err
		}
		defer func() { _ = local.Close() }()
		o.Sandbox, o.Settled = local.Meanwhile(), local.Runtime
	}
	e.aws.Log = log
	client := aws.New(e.aws)
	defer client.Close()
	e.docker.Log, e.docker.ReadOnly = log, e.aws.ReadOnly
	o.AWS, o.Docker = client, docker.New(e.docker)
	o.OpenDocker = func(other docker.Options) ui.Engine {
		other.Log, other.ReadOnly = e.docker.Log, e.docker.ReadOnly
		return docker.New(other)
	}
	if !e.sandbox {
		o.Connect = e.connect
	}
	return show(ctx, ui.New(o))
}

// connect is the AWS of another profile and region.
func (e explorer) connect(profile, region string) ui.Cloud {
	o := e.aws
	o.Profile, o.Region = profile, region
	return aws.New(o)
}

// startSandbox starts the local AWS and points the adapter at it.
func (e *explorer) startSandbox(ctx context.Context, log *slog.Logger) (*cli.LocalAWS, error) {
	local, err := cli.StartSandbox(ctx, sandbox.Config{Log: log}, e.runtime, e.docker)
	if err != nil {
		return nil, err
	}
	e.aws.Profile, e.aws.Region, e.aws.Endpoint = "", local.Region(), local.URL()
	e.aws.AccessKeyID, e.aws.SecretAccessKey = local.AccessKeyID(), local.SecretAccessKey()
	return local, nil
}

// garbage is how much of it may gather, in percent of what is in use: a fifth of
// Go's default. Big lists and logs come as text that is thrown away at once;
// this keeps 10 MB off the resident memory with 5,000 tasks shown, and a log of
// a million lines within 40.
const garbage = 20

// show runs the program until the user quits or a signal ends it.
func show(ctx context.Context, f *ui.Frame) error {
	defer f.Close()
	debug.SetGCPercent(garbage)
	_, err := frames.New(f, tea.WithContext(ctx)).Run()
	if errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil {
		return nil // by SIGTERM or SIGHUP; the terminal has been restored
	}
	if err != nil {
		return fmt.Errorf("draw on the terminal: %w", err)
	}
	return nil
}
