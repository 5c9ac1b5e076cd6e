package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"gantry/aws"
	"gantry/aws/exec"
	"gantry/internal/diagnose"
)

// Forward is `gantry forward`: a local port that ends in a container. The
// options are those of AWSFlags.
func Forward(o *aws.Options) *cobra.Command {
	var at taskFlags
	var to string
	var local int
	c := &cobra.Command{
		Use:   "forward --cluster CLUSTER --task TASK --remote [HOST:]PORT [--local PORT]",
		Short: "Forward a local port to a task, or through it",
		Long: "Prints the local address as its first line and serves until a signal ends it. With a HOST in --remote\n" +
			"the connections go on from the container to there.",
		Example: "gantry forward --cluster shop --task web --remote 8080\n" +
			"gantry forward --cluster shop --task web --remote db.internal:5432 --local 15432",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			host, port, err := parseRemote(to)
			if err != nil {
				return err
			}
			if local < 0 || local > maxPort {
				return notAPort("--local", strconv.Itoa(local))
			}
			return withTask(cmd, *o, at, func(ctx context.Context, in inTask) error {
				f, err := in.client.OpenForward(ctx, in.task, in.container, host, port, local)
				if err != nil {
					return in.explain(ctx, err)
				}
				return serveForward(ctx, f, cmd.OutOrStdout(), cmd.ErrOrStderr())
			})
		},
	}
	at.add(c)
	c.Flags().StringVar(&to, "remote", "", "port in the container, or HOST:PORT as the container reaches it")
	c.Flags().IntVar(&local, "local", 0, "port on 127.0.0.1; 0 takes a free one")
	return c
}

const maxPort = 65535

// parseRemote reads PORT, HOST:PORT or [IPv6]:PORT.
func parseRemote(text string) (host string, port int, err error) {
	number := text
	if strings.Contains(text, ":") {
		if host, number, err = net.SplitHostPort(text); err != nil || host == "" {
			return "", 0, notAPort("--remote", text)
		}
	}
	port, err = strconv.Atoi(number)
	if err != nil || port < 1 || port > maxPort {
		return "", 0, notAPort("--remote", text)
	}
	return host, port, nil
}

func notAPort(flag, text string) error {
	return &diagnose.Error{
		What: fmt.Sprintf("%s %q is no port", flag, text),
		Do:   fmt.Sprintf("give a number up to %d, for --remote perhaps with a host: 8080, db.internal:5432", maxPort),
	}
}

// serveForward tells the address and then what goes wrong, until the context or
// the session ends.
func serveForward(ctx context.Context, f *exec.Forward, out, errors io.Writer) error {
	defer func() { _ = f.Close() }()
	if _, err := fmt.Fprintln(out, f.Addr()); err != nil {
		return fmt.Errorf("print the address: %w", err)
	}
	said := ""
	for {
		select {
		case <-f.Changed():
			if problem := f.Problem(); problem != said {
				said = problem
				if problem != "" {
					_, _ = fmt.Fprintln(errors, "gantry: "+problem)
				}
			}
		case <-f.Done():
			return f.Err()
		case <-ctx.Done():
			return nil
		}
	}
}
