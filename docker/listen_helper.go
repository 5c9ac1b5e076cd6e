package docker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"gantry/internal/diagnose"
)

// tableScript prints the tables, each behind its name.
const tableScript = `for t in tcp tcp6 udp udp6; do echo "= $t"; cat /proc/net/$t 2>/dev/null; done`

const (
	helperTimeout = 20 * time.Second
	maxTables     = 4 << 20 // bytes of tables that are read
	helperMemory  = 64 << 20
	helperPIDs    = 16
	nobody        = "65534:65534"
)

// ListeningByHelper is Listening by a container that is made for it and removed
// at once: it runs sh of a local image in the network namespace of the other,
// as nobody, without capabilities, with a read-only root. It works with every
// engine, remote ones too. image "" takes what HelperImage finds; nothing is
// pulled.
func (c *Client) ListeningByHelper(ctx context.Context, row Container, image string) (Listen, error) {
	what := "look where " + clean(orElse(row.Name, short(row.ID))) + " listens, by a helper container"
	api, err := c.mutable(ctx, what)
	if err != nil {
		return Listen{}, err
	}
	l, target, err := c.listenTarget(ctx, row)
	if err != nil || l.Reason != "" {
		return l, err
	}
	if image == "" {
		if image, err = c.HelperImage(ctx); err != nil {
			return l, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, helperTimeout)
	defer cancel()
	printed, err := printTables(ctx, api, target.id, image)
	if err != nil {
		return l, c.explain(what, err)
	}
	tables := splitTables(printed)
	if tables["tcp"] == "" {
		return l, &diagnose.Error{What: what, Cause: "the helper printed no socket table: " + clean(printed), Do: "choose another image with sh and cat", Err: errTable}
	}
	sockets, err := parseTables(tables)
	if err != nil {
		return l, &diagnose.Error{What: what, Cause: clean(err.Error()), Do: "choose another image with sh and cat", Err: err}
	}
	l.judge(sockets, target)
	return l, nil
}

// printTables runs the helper and returns what it printed.
func printTables(ctx context.Context, api *client.Client, target, image string) (string, error) {
	limit := int64(helperPIDs)
	made, err := api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: &container.Config{
			Image: image, Entrypoint: []string{"sh", "-c", tableScript}, Cmd: []string{}, User: nobody,
			AttachStdout: true, AttachStderr: true, Labels: map[string]string{HelperLabel: target},
		},
		HostConfig: &container.HostConfig{
			AutoRemove: true, ReadonlyRootfs: true, CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges"},
			NetworkMode: container.NetworkMode("container:" + target),
			LogConfig:   container.LogConfig{Type: "none"},
			Resources:   container.Resources{Memory: helperMemory, PidsLimit: &limit},
		},
	})
	if err != nil {
		return "", err
	}
	defer removeAndWait(ctx, api, made.ID)
	conn, err := api.ContainerAttach(ctx, made.ID, client.ContainerAttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		return "", err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)()
	if _, err := api.ContainerStart(ctx, made.ID, client.ContainerStartOptions{}); err != nil {
		return "", err
	}
	var printed bytes.Buffer
	if _, err := stdcopy.StdCopy(&printed, &printed, io.LimitReader(conn.Reader, maxTables)); err != nil {
		return "", fmt.Errorf("read what the helper prints: %w", err)
	}
	return printed.String(), ctx.Err()
}

// removeAndWait returns when the helper is gone. The engine removes it too when
// it ends, so that none is left even if gantry is killed; the two may meet.
func removeAndWait(ctx context.Context, api *client.Client, id string) {
	discard(ctx, api, id)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), helperTimeout)
	defer cancel()
	ended := api.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionRemoved})
	select {
	case <-ended.Result:
	case <-ended.Error: //nolint:errcheck // it is gone already
	}
}

// splitTables cuts the helper's output at the names.
func splitTables(printed string) map[string]string {
	tables := map[string]string{}
	name := ""
	for line := range strings.Lines(printed) {
		if heading, found := strings.CutPrefix(line, "= "); found {
			name = strings.TrimSpace(heading)
			continue
		}
		tables[name] += line
	}
	return tables
}
