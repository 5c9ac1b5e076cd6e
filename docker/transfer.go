package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/api/types/registry"

	"gantry/internal/pattern"
)

// String hides what is secret, wherever the value is printed.
func (a RegistryAuth) String() string { return "account " + a.Username }

// GoString hides it from %#v too.
func (a RegistryAuth) GoString() string { return a.String() }

// LogValue hides it from the log, whatever its format.
func (a RegistryAuth) LogValue() slog.Value { return slog.StringValue(a.String()) }

// passage is a push or a pull that passed what can be checked without an
// engine.
type passage struct {
	what     string // "push HOST/web:1"
	ref      reference.Named
	platform string
	anonym   bool // no account is known for the registry
}

// host is the registry.
func (p passage) host() string { return reference.Domain(p.ref) }

// repository is the name without registry and tag.
func (p passage) repository() string { return reference.Path(p.ref) }

// tag is what names the image in its repository, a digest if it has no tag.
func (p passage) tag() string {
	switch ref := p.ref.(type) {
	case reference.Tagged:
		return ref.Tag()
	case reference.Digested:
		return ref.Digest().String()
	}
	return ""
}

// header is the account as the engine takes it. Engines of 20.10 refuse a push
// without one ("Bad parameters and missing X-Registry-Auth"), so an empty
// account is sent too.
func (p *passage) header(auth RegistryAuth) (string, error) {
	account := registry.AuthConfig{
		Username: auth.Username, Password: auth.Password, IdentityToken: auth.IdentityToken, ServerAddress: p.host(),
	}
	if auth == (RegistryAuth{}) {
		account = storedAccount(p.host())
		p.anonym = account == (registry.AuthConfig{})
	}
	return encodeAccount(account)
}

// storedAccount is the user's own account at a registry, as `docker login` left
// it, or none.
func storedAccount(host string) registry.AuthConfig {
	key := host
	if host == "docker.io" {
		key = "https://index.docker.io/v1/"
	}
	a, err := loadConfig().GetAuthConfig(key)
	if err != nil || a.Username+a.Password+a.Auth+a.IdentityToken+a.RegistryToken == "" {
		return registry.AuthConfig{}
	}
	return registry.AuthConfig{
		Username: a.Username, Password: a.Password, Auth: a.Auth,
		ServerAddress: a.ServerAddress, IdentityToken: a.IdentityToken, RegistryToken: a.RegistryToken,
	}
}

// progressing is a delivery of a transfer's state.
type progressing = delivery[*transfer, TransferProgress]

// transfer gathers what an engine reports about a push or a pull.
type transfer struct {
	at     map[string]int // layers by id
	layers []LayerProgress
	status string
	digest string
}

func newTransfer() *transfer { return &transfer{at: map[string]int{}} }

func (t *transfer) snapshot() TransferProgress {
	return TransferProgress{Layers: slices.Clone(t.layers), Status: t.status}
}

// transferMessage is one of the engine's, with the old form of an error, which Podman
// sends alone.
type transferMessage struct {
	jsonstream.Message
	OldError string `json:"error"`
}

func (m transferMessage) err() error {
	switch {
	case m.Error != nil && m.Error.Message != "":
		return &registryError{m.Error.Message}
	case m.OldError != "":
		return &registryError{m.OldError}
	}
	return nil
}

// registryError is what the engine says inside an answer that began well: the
// engine is there, and what failed is the registry or the way to it.
type registryError struct{ text string }

func (e *registryError) Error() string { return e.text }

// follow reads the engine's messages to their end.
func follow(ctx context.Context, answer io.Reader, d *progressing) error {
	messages := json.NewDecoder(answer)
	for {
		var m transferMessage
		switch err := messages.Decode(&m); {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read the engine's answer: %w", err)
		}
		if err := m.err(); err != nil {
			return err
		}
		d.update(func(t *transfer) { t.read(m) })
	}
}

// The line that names the digest: "1: digest: sha256:… size: 736" ends a push,
// "Digest: sha256:…" a pull.
var digestLine = pattern.Late(`(?i)\bdigest: (sha256:[0-9a-f]{64})`)

func (t *transfer) read(m transferMessage) {
	if m.Aux != nil {
		var pushed struct{ Digest string }
		if json.Unmarshal(*m.Aux, &pushed) == nil && pushed.Digest != "" {
			t.digest = pushed.Digest
		}
	}
	status := clean(m.Status)
	switch {
	case status == "":
	case m.ID == "" || strings.HasPrefix(status, "Pulling from "):
		// The id beside "Pulling from" is the tag's.
		t.status = status
		if found := digestLine().FindStringSubmatch(status); found != nil && t.digest == "" {
			t.digest = found[1]
		}
	default:
		t.layer(clean(m.ID)).read(status, m.Progress)
	}
}

func (t *transfer) layer(id string) *LayerProgress {
	i, known := t.at[id]
	if !known {
		i = len(t.layers)
		t.at[id] = i
		t.layers = append(t.layers, LayerProgress{ID: id})
	}
	return &t.layers[i]
}

// finish ends every layer of a transfer that went well. Engines that keep
// images in containerd say no last word of each.
func (t *transfer) finish() {
	for i := range t.layers {
		t.layers[i].end()
	}
}

func (l *LayerProgress) read(state string, p *jsonstream.Progress) {
	l.State = state
	switch {
	case lastWord(state):
		l.end()
	case state == "Download complete" || state == "Verifying Checksum":
		l.Done = l.Total
	case p == nil || p.Total <= 0 || state == "Extracting" || p.Units != "" && p.Units != "bytes":
		// Extracting counts the same bytes again, or seconds: the bar must not
		// run backwards.
	default:
		// A pushed layer is counted with its archive's padding, which its
		// total is not.
		l.Total = p.Total
		l.Done = min(max(p.Current, 0), p.Total)
	}
}

func (l *LayerProgress) end() { l.Done, l.Ended = l.Total, true }

// lastWord reports whether the engine says no more of a layer after this.
func lastWord(state string) bool {
	switch state {
	case "Pushed", "Layer already exists", "Pull complete", "Already exists", "Skipped foreign layer":
		return true
	}
	return strings.HasPrefix(state, "Mounted from ")
}
