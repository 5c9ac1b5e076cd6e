package sandbox

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
)

// maxManifest is the longest manifest, in bytes, as at ECR.
const maxManifest = 4 << 20

// manifest serves the manifests of a repository: what a push ends with and a
// pull begins with.
func (g *registryGate) manifest(w http.ResponseWriter, r *http.Request, to *repository, target string) error {
	if r.Method == http.MethodPut {
		return g.putManifest(w, r, to, target)
	}
	if err := g.pulled(r.Method, to, target); err != nil {
		return err
	}
	var answer kept
	to.contents.ServeHTTP(&answer, r)
	answer.send(w)
	return nil
}

// pulled finds a manifest and notes that it was fetched.
func (g *registryGate) pulled(method string, from *repository, target string) error {
	b := g.ecr
	b.mu.Lock()
	defer b.mu.Unlock()
	i := from.images[target]
	if i == nil {
		i = from.byTag[target]
	}
	if i == nil {
		return &registryError{http.StatusNotFound, "MANIFEST_UNKNOWN", "Requested image not found"}
	}
	if method == http.MethodGet {
		i.pulled = b.clock.Now()
	}
	return nil
}

func (g *registryGate) putManifest(w http.ResponseWriter, r *http.Request, to *repository, target string) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxManifest))
	if err != nil {
		return fmt.Errorf("read the manifest: %w", err)
	}
	m, err := readManifest(body, r.Header.Get("Content-Type"))
	if err != nil {
		return &registryError{http.StatusBadRequest, "MANIFEST_INVALID", err.Error()}
	}
	tag := target
	switch {
	case imageTag().MatchString(target):
	case target == m.digest:
		tag = ""
	case imageDigest().MatchString(target):
		return &registryError{http.StatusBadRequest, "DIGEST_INVALID", "provided digest did not match uploaded content"}
	default:
		return &registryError{http.StatusBadRequest, "TAG_INVALID", "The image tag is not one that ECR allows"}
	}
	if err := g.store(to, m, tag); err != nil {
		return err
	}
	w.Header().Set("Location", "/v2/"+to.name+"/manifests/"+m.digest)
	w.Header().Set("Docker-Content-Digest", m.digest)
	if m.subject != "" {
		w.Header().Set("OCI-Subject", m.subject) //nolint:canonicalheader // the specification's own spelling
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

func (g *registryGate) store(to *repository, m manifest, tag string) error {
	g.ecr.mu.Lock()
	defer g.ecr.mu.Unlock()
	if g.ecr.repositories[to.name] != to {
		return repositoryNotFound(to.name, account)
	}
	_, err := g.ecr.put(to, m, tag)
	return err
}

// upload takes a layer in: POST begins, PATCH brings parts, PUT ends.
func (g *registryGate) upload(w http.ResponseWriter, r *http.Request, to *repository, id string) error {
	if r.Method == http.MethodPost {
		return g.beginUpload(w, r, to)
	}
	u := g.ecr.upload(to, id)
	if u == nil {
		return uploadUnknown()
	}
	switch r.Method {
	case http.MethodDelete:
		g.ecr.endUpload(id)
		w.WriteHeader(http.StatusNoContent)
		return nil
	case http.MethodGet:
		size, err := u.append(http.NoBody, -1)
		if err != nil {
			return g.broken(id, err)
		}
		uploadAnswer(w, to, id, size, http.StatusNoContent)
		return nil
	case http.MethodPatch:
		size, err := u.append(r.Body, rangeStart(r))
		if err != nil {
			return g.broken(id, err)
		}
		uploadAnswer(w, to, id, size, http.StatusAccepted)
		return nil
	default:
		return g.finishUpload(w, r, to, id, u)
	}
}

// beginUpload starts an upload. With a digest the request has all of it. A
// layer of another repository is not mounted: ECR's repositories share none.
func (g *registryGate) beginUpload(w http.ResponseWriter, r *http.Request, to *repository) error {
	id, u, err := g.ecr.beginUpload(to)
	if err != nil {
		return err
	}
	if r.URL.Query().Has("digest") {
		return g.finishUpload(w, r, to, id, u)
	}
	uploadAnswer(w, to, id, 0, http.StatusAccepted)
	return nil
}

func (g *registryGate) finishUpload(w http.ResponseWriter, r *http.Request, to *repository, id string, u *upload) error {
	digest := r.URL.Query().Get("digest")
	if !imageDigest().MatchString(digest) {
		return &registryError{http.StatusBadRequest, "DIGEST_INVALID", "The digest of a layer has to be sha256: and 64 hexadecimal digits"}
	}
	if _, err := u.append(r.Body, rangeStart(r)); err != nil {
		return g.broken(id, err)
	}
	defer g.ecr.endUpload(id)
	if now, err := g.find(to.name); err != nil || now != to {
		return repositoryNotFound(to.name, account)
	}
	if err := u.finish(digest); err != nil {
		return err
	}
	g.ecr.want(to, digest)
	w.Header().Set("Location", "/v2/"+to.name+"/blobs/"+digest)
	w.Header().Set("Docker-Content-Digest", digest)
	w.WriteHeader(http.StatusCreated)
	return nil
}

// broken ends an upload whose part did not come or could not be written, and
// makes of the reason what a client should hear. A part at the wrong place does
// no harm.
func (g *registryGate) broken(id string, err error) error {
	var refused *registryError
	var disk *fs.PathError
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.Is(err, errUploadGone):
		return uploadUnknown()
	}
	g.ecr.endUpload(id)
	if errors.As(err, &disk) {
		return &registryError{http.StatusRequestEntityTooLarge, "UNKNOWN", "The layer could not be kept: " + err.Error()}
	}
	panic(http.ErrAbortHandler) // the client left, so nobody hears an answer
}

func uploadUnknown() error {
	return &registryError{http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "The upload does not exist"}
}

func uploadAnswer(w http.ResponseWriter, to *repository, id string, size int64, status int) {
	w.Header().Set("Location", "/v2/"+to.name+"/blobs/uploads/"+id)
	w.Header().Set("Range", "0-"+strconv.FormatInt(max(size-1, 0), 10))
	w.Header().Set("Docker-Upload-Uuid", id)
	w.WriteHeader(status)
}

// rangeStart is where a part says that it begins, -1 if it says nothing.
func rangeStart(r *http.Request) int64 {
	from, _, found := strings.Cut(r.Header.Get("Content-Range"), "-")
	n, err := strconv.ParseInt(from, 10, 64)
	if !found || err != nil {
		return -1
	}
	return n
}
