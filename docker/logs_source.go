package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/docker/go-units"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// LogSource says how a container's log is kept.
type LogSource struct {
	Driver string // "json-file"
	// Path is the file on the engine's machine that the lines lie in, "" for a
	// driver that keeps none. Of a rotated log it is the newest file.
	Path string
	// Remote is where the driver sends the lines: "syslog udp://…", "" when
	// they stay with the engine.
	Remote string
	// Size is bytes on disk, rotated files too. -1: the file is not to be seen
	// from here, because the engine is elsewhere or its folder is root's.
	Size int64
	// MaxSize and MaxFile are the rotation; MaxSize 0 is none, and the file
	// grows until the disk is full.
	MaxSize int64
	MaxFile int
	// Readable says whether the engine can read the lines back. Reason says why
	// not.
	Readable bool
	Reason   string
	Cached   bool // read from the engine's own copy of what the driver sends away
}

// String is the head line over a log.
func (s LogSource) String() string {
	parts := []string{s.Driver}
	if s.Path != "" {
		parts = append(parts, s.Path)
	}
	if s.Cached {
		parts = append(parts, "copy of what goes to "+strings.TrimPrefix(s.Remote, s.Driver+" "))
	} else if s.Remote != "" {
		parts = append(parts, "sent to "+s.Remote)
	}
	if !s.Readable {
		return strings.Join(append(parts, s.Reason), " · ")
	}
	return strings.Join(append(parts, s.growth()), " · ")
}

// growth is the part about size and rotation.
func (s LogSource) growth() string {
	size := "size not visible from here"
	if s.Size >= 0 {
		size = units.HumanSize(float64(s.Size))
	}
	switch {
	case s.Path == "":
		return "kept by " + s.Driver
	case s.MaxSize > 0:
		return fmt.Sprintf("%s, rotates at %s, %d files", size, units.HumanSize(float64(s.MaxSize)), max(s.MaxFile, 1))
	case s.Size >= 0:
		return "no rotation: " + size + " and growing"
	}
	return "no rotation, " + size
}

// LogSource looks at how a container's log is kept.
// https://docs.docker.com/engine/logging/configure/ and dual-logging/
func (c *Client) LogSource(ctx context.Context, id string) (LogSource, error) {
	what := "look at the log driver of " + short(id)
	api, err := c.api(ctx)
	if err != nil {
		return LogSource{}, c.explain(what, err)
	}
	ctx, cancel := c.within(ctx)
	defer cancel()
	in, err := api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return LogSource{}, c.explain(what, err)
	}
	info, err := api.Info(ctx, client.InfoOptions{})
	if err != nil {
		return LogSource{}, c.explain(what, err)
	}
	s := logSource(in.Container, info.Info.DockerRootDir)
	s.Size = -1
	if isLocal(c.at().Host) {
		s.Size = logSize(s.Path)
	}
	return s, nil
}

// logSource derives everything but the size.
func logSource(in container.InspectResponse, root string) LogSource {
	if in.HostConfig == nil {
		return LogSource{Reason: "the engine does not say how"}
	}
	options := in.HostConfig.LogConfig.Config
	s := LogSource{Driver: in.HostConfig.LogConfig.Type, Path: in.LogPath, Readable: true}
	folder := path.Join(filepath.ToSlash(root), "containers", in.ID)
	switch s.Driver {
	case "json-file":
		// Without max-size nothing rotates: that is the engine's default.
		s.MaxSize, s.MaxFile = sizeOption(options["max-size"]), countOption(options["max-file"], 1)
	case "local":
		s.Path = orElse(s.Path, path.Join(folder, "local-logs", "container.log"))
		s.MaxSize, s.MaxFile = orElse(sizeOption(options["max-size"]), 20<<20), countOption(options["max-file"], 5)
	case "journald":
		s.Path = ""
	case "k8s-file": // Podman's; it writes to LogPath
		s.MaxSize = sizeOption(options["max-size"])
	case "none":
		s.Readable, s.Reason = false, "nothing is kept: the driver is none"
	default:
		return s.sentAway(options, folder)
	}
	return s
}

// sentAway is a driver that sends the lines to another machine. Since 20.10 the
// engine keeps a copy to read from, unless that is switched off.
func (s LogSource) sentAway(options map[string]string, folder string) LogSource {
	s.Remote = destination(s.Driver, options)
	if off, _ := strconv.ParseBool(options["cache-disabled"]); off {
		s.Readable, s.Reason = false, "the engine keeps no copy: cache-disabled is set"
		return s
	}
	s.Cached = true
	s.Path = path.Join(folder, "container-cached.log")
	s.MaxSize, s.MaxFile = orElse(sizeOption(options["cache-max-size"]), 20<<20), countOption(options["cache-max-file"], 5)
	return s
}

// destination names where a driver sends lines. The options are the driver's
// documented ones; tokens among them are not shown.
func destination(driver string, options map[string]string) string {
	switch driver {
	case "awslogs":
		return strings.TrimSpace(fmt.Sprintf("CloudWatch Logs %s %s", options["awslogs-group"], options["awslogs-region"]))
	case "gcplogs":
		return strings.TrimSpace("Google Cloud Logging " + options["gcp-project"])
	}
	for _, key := range []string{driver + "-address", driver + "-url"} {
		if options[key] != "" {
			return driver + " " + options[key]
		}
	}
	return driver
}

func orElse[T comparable](value, fallback T) T {
	var none T
	if value == none {
		return fallback
	}
	return value
}

// sizeOption reads "10m"; -1 and nonsense are no bound.
func sizeOption(text string) int64 {
	n, err := units.RAMInBytes(text)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func countOption(text string, otherwise int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return otherwise
	}
	return n
}

// logSize sums a log and its rotated files, -1 if they cannot be seen.
func logSize(file string) int64 {
	if file == "" {
		return -1
	}
	info, err := os.Stat(file)
	if err != nil {
		return -1
	}
	sum := info.Size()
	rotated, _ := filepath.Glob(file + ".[0-9]*")
	for _, r := range rotated {
		if info, err := os.Stat(r); err == nil {
			sum += info.Size()
		} else if !errors.Is(err, fs.ErrNotExist) {
			return -1
		}
	}
	return sum
}
