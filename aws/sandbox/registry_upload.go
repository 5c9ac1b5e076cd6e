package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"sync"

	"github.com/google/uuid"
)

// upload is a layer on its way in. It goes to disk as it comes, and several at
// once: go-containerregistry's own uploads are held in memory, one at a time.
type upload struct {
	repository *repository

	mu   sync.Mutex
	file *os.File // nil once it is over
	sum  hash.Hash
	size int64
}

// beginUpload makes an upload and returns its id.
func (b *ecrBackend) beginUpload(r *repository) (id string, u *upload, err error) {
	f, err := b.disk.newUpload()
	if err != nil {
		return "", nil, err
	}
	u = &upload{repository: r, file: f, sum: sha256.New()}
	id = uuid.NewString()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.uploads[id] = u
	return id, u, nil
}

func (b *ecrBackend) upload(r *repository, id string) *upload {
	b.mu.Lock()
	defer b.mu.Unlock()
	if u := b.uploads[id]; u != nil && u.repository == r {
		return u
	}
	return nil
}

// endUpload forgets an upload and its file.
func (b *ecrBackend) endUpload(id string) {
	b.mu.Lock()
	u := b.uploads[id]
	delete(b.uploads, id)
	b.mu.Unlock()
	if u != nil {
		_ = u.discard() // Close removes what is left
	}
}

// discard closes the file and removes it, unless that is done.
func (u *upload) discard() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.file == nil {
		return nil
	}
	f := u.file
	u.file = nil
	return u.repository.layers.disk.dropUpload(f)
}

// errUploadGone is what a part meets whose upload is over.
var errUploadGone = errors.New("the upload is over")

// append writes a part, which has to begin where the last one ended unless from
// is negative. It returns the size so far.
func (u *upload) append(part io.Reader, from int64) (int64, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.file == nil:
		return 0, errUploadGone
	case from >= 0 && from != u.size:
		return u.size, &registryError{http.StatusRequestedRangeNotSatisfiable, "RANGE_INVALID", fmt.Sprintf("The part begins at byte %d, and %d have come so far", from, u.size)}
	}
	n, err := io.Copy(io.MultiWriter(u.file, u.sum), part)
	u.size += n
	return u.size, err
}

// finish makes the upload the layer of a digest.
func (u *upload) finish(digest string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.file == nil {
		return errUploadGone
	}
	if got := "sha256:" + hex.EncodeToString(u.sum.Sum(nil)); got != digest {
		return &registryError{http.StatusBadRequest, "DIGEST_INVALID", "provided digest did not match uploaded content"}
	}
	if err := u.repository.layers.adopt(u.file, digest); err != nil {
		return err
	}
	u.file = nil
	return nil
}
