package docker

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"gantry/internal/pattern"
	"gantry/internal/secret"
)

// Container is a row of `docker ps -a`.
type Container struct {
	ID          string
	Name        string
	Image       string // as it was named at creation
	ImageID     string
	Command     string // one line, secrets masked
	State       string // created, running, paused, restarting, removing, exited, dead
	Health      string // starting, healthy, unhealthy, "" without a check
	Status      string // the engine's words: "Up 3 minutes (healthy)"
	Created     time.Time
	ExitCode    int // of the last run; see Exited
	Ports       []Port
	NetworkMode string
	Networks    []string
	Labels      map[string]string
	Mounts      []Mount
	// Detail is nil in a list. Describe fills it.
	Detail *ContainerDetail
}

// Mount is a directory of the host, or a volume, in a container.
type Mount struct {
	Type        string // bind, volume, tmpfs, npipe
	Source      string // a path of the host, or a volume's name
	Destination string
	ReadOnly    bool
}

// ContainerDetail is what the engine says about one container only.
type ContainerDetail struct {
	Started       time.Time // zero if it never was
	Finished      time.Time // zero while it runs for the first time
	OOMKilled     bool
	Error         string // why the last start failed
	PID           int    // of the first process, as the engine's machine counts
	TTY           bool
	OpenStdin     bool
	RestartPolicy string // no, always, unless-stopped, on-failure[:n]
	RestartCount  int
	AutoRemove    bool
	Platform      string
	Entrypoint    []string
	WorkingDir    string
	User          string
}

// Running reports whether the container has processes: paused ones too.
func (c Container) Running() bool {
	return c.State == string(container.StateRunning) || c.State == string(container.StatePaused)
}

// Exited reports whether the container has run and ended, so that ExitCode says
// something.
func (c Container) Exited() bool {
	return c.State == string(container.StateExited) || c.State == string(container.StateDead)
}

// Containers lists all containers, running or not, the newest first.
func (c *Client) Containers(ctx context.Context) ([]Container, error) {
	const what = "list containers"
	ctx, cancel := c.within(ctx)
	defer cancel()
	api, err := c.api(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	out, err := api.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return nil, c.explain(what, err)
	}
	rows := make([]Container, 0, len(out.Items))
	for _, s := range out.Items {
		rows = append(rows, containerRow(s))
	}
	return rows, nil
}

func containerRow(s container.Summary) Container {
	row := Container{
		ID: s.ID, Image: s.Image, ImageID: s.ImageID, Command: secret.Line(s.Command), State: string(s.State), Status: s.Status,
		Created: time.Unix(s.Created, 0), Ports: publications(s.Ports), NetworkMode: s.HostConfig.NetworkMode,
		Labels: s.Labels, Mounts: mounts(s.Mounts), Name: ownName(s.Names),
		Health: healthOf(s.Status), ExitCode: exitCodeOf(s.Status),
	}
	if s.Health != nil && s.Health.Status != container.NoHealthcheck {
		row.Health = string(s.Health.Status)
	}
	if s.NetworkSettings != nil {
		row.Networks = sortedKeys(s.NetworkSettings.Networks)
	}
	return row
}

// ownName picks the container's name from those that legacy links give it too:
// /other/alias.
func ownName(names []string) string {
	for _, name := range names {
		if name = strings.TrimPrefix(name, "/"); !strings.Contains(name, "/") {
			return name
		}
	}
	return ""
}

func mounts(points []container.MountPoint) []Mount {
	var list []Mount
	for _, p := range points {
		m := Mount{Type: string(p.Type), Source: p.Source, Destination: p.Destination, ReadOnly: !p.RW}
		if p.Name != "" {
			m.Source = p.Name
		}
		list = append(list, m)
	}
	return list
}

// Engines before API 1.52 say health and exit code in the status text alone.
var (
	statusExit   = pattern.Late(`^(?:Exited|Restarting) \((\d+)\)`)
	statusHealth = pattern.Late(`\((?:health: )?(starting|healthy|unhealthy)\)`)
)

func exitCodeOf(status string) int {
	m := statusExit().FindStringSubmatch(status)
	if m == nil {
		return 0
	}
	code, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return code
}

func healthOf(status string) string {
	if m := statusHealth().FindStringSubmatch(status); m != nil {
		return m[1]
	}
	return ""
}

// describeAtOnce bounds the calls under way in one Describe.
const describeAtOnce = 4

// Describe reads containers one by one, with their Detail. One that has gone
// meanwhile is left out; any other failure fails the whole.
func (c *Client) Describe(ctx context.Context, ids []string) ([]Container, error) {
	const what = "describe containers"
	ctx, cancel := c.within(ctx)
	defer cancel()
	api, err := c.api(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	found := make([]*Container, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(describeAtOnce)
	for i, id := range ids {
		group.Go(func() error {
			out, err := api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
			if gone(err) {
				return nil
			}
			if err == nil {
				row := described(out.Container)
				found[i] = &row
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, c.explain(what, err)
	}
	rows := make([]Container, 0, len(ids))
	for _, row := range found {
		if row != nil {
			rows = append(rows, *row)
		}
	}
	return rows, nil
}

// described makes a row of an inspect answer. Status stays empty: only the list
// has the engine's words.
func described(in container.InspectResponse) Container {
	row := Container{
		ID: in.ID, Name: strings.TrimPrefix(in.Name, "/"), ImageID: in.Image, Created: moment(in.Created),
		Command: strings.Join(secret.Arguments(append([]string{in.Path}, in.Args...)), " "), Mounts: mounts(in.Mounts),
	}
	d := &ContainerDetail{RestartCount: in.RestartCount, Platform: in.Platform}
	row.Detail = d
	if s := in.State; s != nil {
		row.State, row.ExitCode = string(s.Status), s.ExitCode
		d.Started, d.Finished = moment(s.StartedAt), moment(s.FinishedAt)
		d.OOMKilled, d.Error, d.PID = s.OOMKilled, clean(s.Error), s.Pid
		if s.Health != nil && s.Health.Status != container.NoHealthcheck {
			row.Health = string(s.Health.Status)
		}
	}
	if cfg := in.Config; cfg != nil {
		row.Image, row.Labels = cfg.Image, cfg.Labels
		d.TTY, d.OpenStdin, d.Entrypoint, d.WorkingDir, d.User = cfg.Tty, cfg.OpenStdin, cfg.Entrypoint, cfg.WorkingDir, cfg.User
	}
	if host := in.HostConfig; host != nil {
		row.NetworkMode = string(host.NetworkMode)
		d.AutoRemove, d.RestartPolicy = host.AutoRemove, restartPolicy(host.RestartPolicy)
	}
	if in.NetworkSettings != nil {
		row.Networks = sortedKeys(in.NetworkSettings.Networks)
		row.Ports = bound(in.NetworkSettings.Ports)
	}
	return row
}

func restartPolicy(p container.RestartPolicy) string {
	if p.Name == "" {
		return "no"
	}
	if p.MaximumRetryCount > 0 {
		return fmt.Sprintf("%s:%d", p.Name, p.MaximumRetryCount)
	}
	return string(p.Name)
}

// moment reads the engine's time. Its zero time, of the year 1, becomes ours.
func moment(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || at.Year() <= 1 {
		return time.Time{}
	}
	return at
}
