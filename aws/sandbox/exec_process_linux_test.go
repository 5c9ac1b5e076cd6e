package sandbox

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
)

// TestUnconfinedShellIsHeaded opens a shell as on a machine without namespaces.
func TestUnconfinedShellIsHeaded(t *testing.T) {
	rt := newProcesses(t)
	sink := newRecorder()
	spec := oneTask(demoContainer("serve"))
	rt.Start(spec, sink)
	in := sink.as(t)
	p := rt.(*processes)
	p.confines = func() bool { return false }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	program, err := p.Exec(ctx, in, []string{"/bin/sh", "-c", "echo $PWD; id -u"})
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	var said bytes.Buffer
	_, _ = io.Copy(&said, program) // it ends with EIO, as terminals do
	lines := strings.Split(said.String(), "\r\n")
	if !strings.HasPrefix(lines[0], "This shell runs on THIS machine as ") || !strings.HasSuffix(lines[0], ", in "+in.Dir) || lines[1] != in.Dir {
		t.Errorf("it said %q", lines)
	}
}
