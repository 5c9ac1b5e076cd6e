package sandbox

import (
	"context"
	"fmt"
	"sync"
)

// pause is the image of the containers that hold a task's network.
type pause struct {
	once sync.Once
	ref  string
	err  error
}

// image makes the image at its first use.
func (p *pause) image(r *Containers) (string, error) {
	p.once.Do(func() { p.err = p.load(r) })
	return p.ref, p.err
}

func (p *pause) load(r *Containers) error {
	root, err := pauseRoot(r.facts.Architecture)
	if err != nil {
		return err
	}
	changes := []string{`ENTRYPOINT ["/` + pausePath + `"]`}
	for name, value := range r.marks(nil, "") {
		changes = append(changes, fmt.Sprintf("LABEL %q=%q", name, value))
	}
	// One of its own for each sandbox, so that none takes another's away.
	ref := "gantry/pause:" + r.owner.name
	if err := r.engine.Import(r.working, ref, root, changes); err != nil {
		return fmt.Errorf("make the image of the pause container: %w", err)
	}
	p.ref = ref
	return nil
}

// remove takes the image away, if there is one.
func (p *pause) remove(r *Containers) {
	p.once.Do(func() {})
	if p.ref == "" {
		return
	}
	ctx, cancel := context.WithTimeout(r.ctx, cleaning)
	defer cancel()
	if err := r.engine.RemoveImage(ctx, p.ref); err != nil {
		r.log.Warn("remove the image of the pause container", "error", err)
	}
}
