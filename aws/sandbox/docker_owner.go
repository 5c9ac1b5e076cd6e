package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Containers outlive their sandbox when that is killed. They carry the name of
// a file that it holds locked as long as it lives: a process id would not do,
// since another process may have it by now.

// owner is a sandbox as its containers know it.
type owner struct {
	name  string
	marks map[string]string // the labels
	path  string
	held  io.Closer
}

// newOwner makes and locks the file, in dir or in the user's runtime directory.
func newOwner(dir string) (owner, error) {
	dir = cmp.Or(dir, runDirs()[0])
	if err := makePrivateDir(dir); err != nil {
		return owner{}, err
	}
	machine, err := os.Hostname()
	if err != nil {
		return owner{}, fmt.Errorf("ask for the machine's name: %w", err)
	}
	o := owner{name: newName()}
	o.path = filepath.Join(dir, lockName(o.name))
	o.held, err = holdFile(o.path)
	if err != nil {
		return owner{}, err
	}
	// Engines are shared: another machine's sandbox is not ours to judge.
	o.marks = map[string]string{ownerLabel: o.name, lockLabel: machine + ":" + o.path}
	return o, nil
}

// release says that nothing is left of the sandbox.
func (o owner) release() error { return errors.Join(o.held.Close(), removeFile(o.path)) }

// lockName is the name of the file of a sandbox.
func lockName(owner string) string { return "docker-" + owner + ".lock" }

// lockOf is the file that tells whether the sandbox lives which made a thing.
// Labels come from images too, which may be anybody's: a path that is not such a
// file's, or of another machine, is none.
func lockOf(t EngineThing, machine string) (path string, ours bool) {
	path, ours = strings.CutPrefix(t.Labels[lockLabel], machine+":")
	owner := t.Labels[ownerLabel]
	return path, ours && owner != "" && filepath.IsAbs(path) && filepath.Base(path) == lockName(owner)
}

// dead reports whether the sandbox that held a file has ended. One that cannot
// be judged lives.
func dead(path string) bool {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return true
	}
	return !heldByAnother(path)
}

// sweepTimeout bounds the removal of what killed sandboxes left.
const sweepTimeout = 5 * time.Minute

// sweep removes what killed sandboxes left on the engine. When this one ends
// before that is done, the next goes on with it.
func (r *Containers) sweep() {
	ctx, cancel := context.WithTimeout(r.working, sweepTimeout)
	defer cancel()
	machine, err := os.Hostname()
	if err != nil {
		return
	}
	found, err := r.engine.Labeled(ctx, ownerLabel)
	if err != nil {
		r.log.Warn("look for what killed sandboxes left", "error", err)
		return
	}
	locks := make(map[string]bool) // path -> dead
	left := func(t EngineThing) bool {
		path, ours := lockOf(t, machine)
		if _, known := locks[path]; ours && !known {
			locks[path] = dead(path)
		}
		return ours && locks[path]
	}
	r.sweepContainers(ctx, found.Containers, left)
	sweepThings(found.Images, left, func(id string) { r.told("image", r.engine.RemoveImage(ctx, id)) })
	sweepThings(found.Volumes, left, func(id string) { r.told("volume", r.engine.RemoveVolume(ctx, id)) })
	if ctx.Err() != nil {
		return
	}
	for path, isDead := range locks {
		if isDead {
			_ = removeFile(path)
		}
	}
}

// told logs a removal that failed. The next sweep tries again.
func (r *Containers) told(kind string, err error) {
	if err != nil && r.working.Err() == nil {
		r.log.Warn("remove what a killed sandbox left", "kind", kind, "error", err)
	}
}

func sweepThings(all []EngineThing, left func(EngineThing) bool, remove func(id string)) {
	for _, thing := range all {
		if left(thing) {
			remove(thing.ID)
		}
	}
}

// sweepContainers removes some at once: each takes the engine a while.
func (r *Containers) sweepContainers(ctx context.Context, all []EngineThing, left func(EngineThing) bool) {
	var wait sync.WaitGroup
	slots := make(chan struct{}, startsAtOnce)
	for _, c := range all {
		if !left(c) {
			continue
		}
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			r.told("container", r.engine.Remove(ctx, c.ID))
		})
	}
	wait.Wait()
}
