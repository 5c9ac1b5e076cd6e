package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
)

// registryGate is ECR's side of the registry protocol, which docker speaks:
// what ECR asks of a client and what it writes down, before and after the
// registry itself has its say.
// Source: github.com/opencontainers/distribution-spec, spec.md.
type registryGate struct {
	ecr    *ecrBackend
	faults *Faults
}

// registryCall is one request of the protocol.
type registryCall struct {
	kind       callKind
	repository string
	target     string // tag, digest or upload, as the kind has it
}

type callKind string

const (
	callManifest  callKind = "manifests"
	callBlob      callKind = "blobs"
	callUpload    callKind = "uploads"
	callTags      callKind = "tags"
	callReferrers callKind = "referrers"
)

// parseRegistryPath reads the path of a request. The names of repositories have
// slashes, so it is read from its end.
func parseRegistryPath(path string) (registryCall, bool) {
	parts := strings.Split(strings.TrimPrefix(path, "/v2/"), "/")
	name := func(n int) string { return strings.Join(parts[:max(0, len(parts)-n)], "/") }
	last := func(n int) string {
		if n > len(parts) {
			return ""
		}
		return parts[len(parts)-n]
	}
	switch {
	case last(3) == "blobs" && last(2) == "uploads":
		return registryCall{callUpload, name(3), last(1)}, true
	case last(2) == "blobs" && last(1) == "uploads":
		return registryCall{callUpload, name(2), ""}, true
	case last(2) == "blobs":
		return registryCall{callBlob, name(2), last(1)}, true
	case last(2) == "manifests":
		return registryCall{callManifest, name(2), last(1)}, true
	case last(2) == "tags" && last(1) == "list":
		return registryCall{callTags, name(2), ""}, true
	case last(2) == "referrers":
		return registryCall{callReferrers, name(2), last(1)}, true
	}
	return registryCall{}, false
}

// registryActions are the API's names of what a request does. They are what a
// policy allows or denies, so the faults go by them too.
// Source: "Amazon ECR private registry authentication" and the actions that its
// policy examples need for push and pull.
var registryActions = map[callKind]map[string]string{
	callManifest:  {http.MethodGet: "BatchGetImage", http.MethodHead: "BatchGetImage", http.MethodPut: "PutImage"},
	callBlob:      {http.MethodGet: "GetDownloadUrlForLayer", http.MethodHead: "BatchCheckLayerAvailability"},
	callUpload:    {http.MethodPost: "InitiateLayerUpload", http.MethodPatch: "UploadLayerPart", http.MethodPut: "CompleteLayerUpload", http.MethodGet: "UploadLayerPart", http.MethodDelete: "UploadLayerPart"},
	callTags:      {http.MethodGet: "ListImages"},
	callReferrers: {http.MethodGet: "ListImageReferrers"},
}

func (g *registryGate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	if err := g.serve(w, r); err != nil {
		g.fail(w, r, err)
	}
}

func (g *registryGate) serve(w http.ResponseWriter, r *http.Request) error {
	if err := g.admit(r); err != nil {
		return err
	}
	if r.URL.Path == "/v2/" {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	call, ok := parseRegistryPath(r.URL.Path)
	action := registryActions[call.kind][r.Method]
	if !ok || action == "" {
		return &registryError{http.StatusMethodNotAllowed, "UNSUPPORTED", fmt.Sprintf("The sandbox's registry does not support %s of this", r.Method)}
	}
	if err := g.faults.beforeRegistry(r.Context(), action); err != nil {
		return err
	}
	repository, err := g.find(call.repository)
	if err != nil {
		return err
	}
	switch call.kind {
	case callManifest:
		return g.manifest(w, r, repository, call.target)
	case callUpload:
		return g.upload(w, r, repository, call.target)
	case callBlob:
		if repository.layers.has(call.target) {
			g.ecr.want(repository, call.target)
		}
		closeRange(r, repository.layers, call.target)
	}
	repository.contents.ServeHTTP(w, r)
	return nil
}

// admit checks the login, which reading needs as well.
func (g *registryGate) admit(r *http.Request) error {
	user, password, given := r.BasicAuth()
	state := g.ecr.judge(user, password)
	switch {
	case !given:
		return &registryError{http.StatusUnauthorized, "UNAUTHORIZED", "Not Authorized"}
	case state == loginInvalid:
		return &registryError{http.StatusUnauthorized, "UNAUTHORIZED", "Your authorization token is invalid. Reauthenticate and try again."}
	case state == loginExpired || g.faults.registryExpired():
		return &registryError{http.StatusForbidden, "DENIED", "Your authorization token has expired. Reauthenticate and try again."}
	}
	return nil
}

func (g *registryGate) find(name string) (*repository, error) {
	g.ecr.mu.Lock()
	defer g.ecr.mu.Unlock()
	return g.ecr.find(nil, &name)
}

// closeRange gives a range without an end ("bytes=5-") the end that it means,
// since the registry reads no other.
func closeRange(r *http.Request, layers layerDir, digest string) {
	asked := r.Header.Get("Range")
	if size, there := layers.size(digest); there && strings.HasPrefix(asked, "bytes=") && strings.HasSuffix(asked, "-") {
		r.Header.Set("Range", fmt.Sprintf("%s%d", asked, size-1))
	}
}

// registryError is a failure as the protocol spells it.
type registryError struct {
	status        int
	code, message string
}

func (e *registryError) Error() string { return e.code + ": " + e.message }

// registryCodes are the protocol's names and statuses for ECR's failures.
var registryCodes = map[string]registryError{
	"RepositoryNotFoundException":       {http.StatusNotFound, "NAME_UNKNOWN", ""},
	"InvalidParameterException":         {http.StatusBadRequest, "NAME_INVALID", ""},
	"ImageNotFoundException":            {http.StatusNotFound, "MANIFEST_UNKNOWN", ""},
	"ImageTagAlreadyExistsException":    {http.StatusBadRequest, "TAG_INVALID", ""},
	"LayersNotFoundException":           {http.StatusNotFound, "BLOB_UNKNOWN", ""},
	"ReferencedImagesNotFoundException": {http.StatusNotFound, "MANIFEST_BLOB_UNKNOWN", ""},
	"AccessDeniedException":             {http.StatusForbidden, "DENIED", ""},
	"ThrottlingException":               {http.StatusTooManyRequests, "TOOMANYREQUESTS", ""},
}

// fail answers in the protocol's words. Docker shows no text that comes with a
// status of 500 and above, so a full disk is told with another.
func (g *registryGate) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil || errors.Is(err, context.Canceled) {
		panic(http.ErrAbortHandler)
	}
	var e *registryError
	var api smithy.APIError
	switch {
	case errors.As(err, &e):
	case errors.As(err, &api) && registryCodes[api.ErrorCode()].status != 0:
		known := registryCodes[api.ErrorCode()]
		e = &registryError{known.status, known.code, api.ErrorMessage()}
	default:
		g.ecr.log.Error("the registry failed", "error", err)
		e = &registryError{http.StatusBadRequest, "UNKNOWN", err.Error()}
	}
	if e.status == http.StatusUnauthorized {
		w.Header().Set("Www-Authenticate", `Basic realm="http://`+g.ecr.host+`/",service="ecr.amazonaws.com"`)
	}
	body, err := json.Marshal(map[string]any{"errors": []map[string]string{{"code": e.code, "message": e.message}}})
	if err != nil {
		panic(err) // a map of strings is always JSON
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(e.status)
	_, _ = w.Write(body) // a client that left is no failure of ours
}
