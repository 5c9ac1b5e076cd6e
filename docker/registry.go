package docker

// TransferProgress is a push or a pull at one moment.
type TransferProgress struct {
	Layers []LayerProgress // in the order in which the engine named them
	Status string          // what the engine says of the whole: "The push refers to …"
}

// LayerProgress is one layer of a push or a pull.
type LayerProgress struct {
	ID    string // the engine's short id of the layer
	State string // the engine's word: Preparing, Pushing, Pushed, Layer already exists, Downloading …
	// Done and Total are bytes, Done never above Total; both 0 where the engine
	// names none.
	Done, Total int64
	Ended       bool // nothing more will come of it
}

// Bytes adds up the layers whose size is known.
func (t TransferProgress) Bytes() (done, total int64) {
	for _, l := range t.Layers {
		done += l.Done
		total += l.Total
	}
	return done, total
}

// Count is how many layers there are, and how many of them have ended.
func (t TransferProgress) Count() (ended, all int) {
	for _, l := range t.Layers {
		if l.Ended {
			ended++
		}
	}
	return ended, len(t.Layers)
}

// ImageFacts is what a deployment must know of a local image.
type ImageFacts struct {
	ID       string   // sha256:…
	Platform string   // os/architecture[/variant]
	Digests  []string // NAME@sha256:…, one for each registry it was pushed to or pulled from
	Ports    []int    // exposed TCP ports
}
