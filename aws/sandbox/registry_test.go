package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

func TestRegistryPaths(t *testing.T) {
	for path, want := range map[string]registryCall{
		"/v2/web/manifests/1":               {callManifest, "web", "1"},
		"/v2/a/manifests/b/manifests/1":     {callManifest, "a/manifests/b", "1"},
		"/v2/a/blobs/uploads/":              {callUpload, "a", ""},
		"/v2/a/blobs/uploads":               {callUpload, "a", ""},
		"/v2/a/b/blobs/uploads/id":          {callUpload, "a/b", "id"},
		"/v2/a/b/blobs/sha256:0":            {callBlob, "a/b", "sha256:0"},
		"/v2/blobs/blobs/uploads/tags/list": {callTags, "blobs/blobs/uploads", ""},
		"/v2/a/referrers/sha256:0":          {callReferrers, "a", "sha256:0"},
		"/v2/manifests/1":                   {callManifest, "", "1"},
		"/v2/_catalog":                      {},
		"/v2/web":                           {},
		"/v2/web/tags/other":                {},
	} {
		if got, _ := parseRegistryPath(path); got != want {
			t.Errorf("%s: %+v, want %+v", path, got, want)
		}
	}
}

func TestRegistryAsksForALogin(t *testing.T) {
	d := newDepot(t)
	d.push("web", "1", "layer")
	for name, c := range map[string]struct{ login, text string }{
		"none":         {"", "UNAUTHORIZED"},
		"another user": {strings.Replace(d.login, "Basic QVdT", "Basic cm9v", 1), "UNAUTHORIZED"},
		"made up":      {basic("AWS", "made up"), "Your authorization token is invalid"},
	} {
		a := d.send("GET", "/v2/web/manifests/1", nil, "Authorization", c.login)
		a.want(t, 401, c.text)
		if challenge := a.header.Get("Www-Authenticate"); !strings.HasPrefix(challenge, `Basic realm="`+d.s.URL()) {
			t.Errorf("%s: challenge %q", name, challenge)
		}
	}
	d.clock.Advance(12*time.Hour - time.Second)
	d.send("GET", "/v2/web/manifests/1", nil).want(t, 200, "layers")
	d.clock.Advance(time.Second)
	d.send("GET", "/v2/web/manifests/1", nil).want(t, 403, `{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}`)
	d.logIn()
	d.send("GET", "/v2/", nil).want(t, 200, "")
}

func TestUploadInParts(t *testing.T) {
	d := newDepot(t)
	begun := d.send("POST", "/v2/web/blobs/uploads/", nil)
	begun.want(t, 202, "")
	at := begun.header.Get("Location")
	first := d.send("PATCH", at, strings.NewReader("hello "), "Content-Range", "0-5")
	if first.want(t, 202, ""); first.header.Get("Range") != "0-5" {
		t.Errorf("range %q", first.header.Get("Range"))
	}
	d.send("PATCH", at, strings.NewReader("again"), "Content-Range", "0-4").want(t, 416, "RANGE_INVALID")
	if asked := d.send("GET", at, nil); asked.status != 204 || asked.header.Get("Range") != "0-5" {
		t.Errorf("%d, range %q", asked.status, asked.header.Get("Range"))
	}
	digest := digestOf("hello world")
	ended := d.send("PUT", at+"?digest="+digest, strings.NewReader("world"))
	if ended.want(t, 201, ""); ended.header.Get("Docker-Content-Digest") != digest {
		t.Errorf("digest %q", ended.header.Get("Docker-Content-Digest"))
	}
	d.send("PUT", at+"?digest="+digest, nil).want(t, 404, "BLOB_UPLOAD_UNKNOWN")
	d.send("GET", ended.header.Get("Location"), nil).want(t, 200, "hello world")
	d.send("GET", ended.header.Get("Location"), nil, "Range", "bytes=6-").want(t, 206, "world")
	if head := d.send("HEAD", ended.header.Get("Location"), nil); head.status != 200 || head.header.Get("Content-Length") != "11" {
		t.Errorf("%d, %q bytes", head.status, head.header.Get("Content-Length"))
	}
	d.send("GET", "/v2/none/blobs/"+digest, nil).want(t, 404, "NAME_UNKNOWN")
}

func TestUploadIsRefused(t *testing.T) {
	d := newDepot(t)
	createRepository(t, d.api, "other")
	d.layer("other", "layer")
	if mounted := d.send("POST", "/v2/web/blobs/uploads/?mount="+digestOf("layer")+"&from=other", nil); mounted.status != 202 {
		t.Errorf("a mount is answered with %d; the layer has to be uploaded", mounted.status)
	}
	d.send("HEAD", "/v2/web/blobs/"+digestOf("layer"), nil).want(t, 404, "")
	d.send("POST", "/v2/web/blobs/uploads/?digest="+digestOf("this"), strings.NewReader("that")).want(t, 400, "DIGEST_INVALID")
	d.send("POST", "/v2/web/blobs/uploads/?digest=md5:1", strings.NewReader("that")).want(t, 400, "DIGEST_INVALID")
	at := d.send("POST", "/v2/web/blobs/uploads/", nil).header.Get("Location")
	d.send("PATCH", strings.Replace(at, "web", "other", 1), strings.NewReader("x")).want(t, 404, "BLOB_UPLOAD_UNKNOWN")
	d.send("DELETE", at, nil).want(t, 204, "")
	d.send("PATCH", at, strings.NewReader("x")).want(t, 404, "BLOB_UPLOAD_UNKNOWN")

	at = d.send("POST", "/v2/web/blobs/uploads/", nil).header.Get("Location")
	if _, err := d.api.DeleteRepository(t.Context(), &ecr.DeleteRepositoryInput{RepositoryName: aws.String("web")}); err != nil {
		t.Fatal(err)
	}
	createRepository(t, d.api, "web")
	d.send("PUT", at+"?digest="+digestOf("x"), strings.NewReader("x")).want(t, 404, "BLOB_UPLOAD_UNKNOWN")
}

func TestManifestIsRefused(t *testing.T) {
	d := newDepot(t)
	good := d.manifest("web", "layer")
	put := func(target, mediaType, text string) reply {
		return d.send("PUT", "/v2/web/manifests/"+target, strings.NewReader(text), "Content-Type", mediaType)
	}
	put("1", imageType, strings.Replace(good, digestOf("layer"), digestOf("gone"), 1)).want(t, 404, "Layers with digests '["+digestOf("gone")+"]' required for pushing image into repository with name 'web'")
	put(digestOf("other"), imageType, good).want(t, 400, "DIGEST_INVALID")
	put("1", indexType, good).want(t, 400, "MANIFEST_INVALID")
	put("1", "application/vnd.docker.distribution.manifest.v1+prettyjws", "{}").want(t, 400, "not supported")
	put("1", imageType, "no JSON").want(t, 400, "MANIFEST_INVALID")
	put(".bad", imageType, good).want(t, 400, "TAG_INVALID")
	put("1", imageType, strings.Repeat(" ", maxManifest+1)).want(t, 400, "too large")
	d.send("DELETE", "/v2/web/manifests/1", nil).want(t, 405, "UNSUPPORTED")
	d.send("GET", "/v2/_catalog", nil).want(t, 405, "UNSUPPORTED")
	put("1", imageType, good).want(t, 201, "")
	d.send("GET", "/v2/web/tags/list", nil).want(t, 200, `"tags":["1"]`)
}

func TestAttachedManifestsAreFound(t *testing.T) {
	d := newDepot(t)
	subject := d.push("web", "1", "layer")
	attached := d.manifest("web", "signature")
	attached = strings.Replace(attached, `"schemaVersion"`, fmt.Sprintf(`"subject":{"mediaType":%q,"size":1,"digest":%q},"schemaVersion"`, imageType, subject), 1)
	digest := d.put("web", "", imageType, attached)
	d.send("GET", "/v2/web/referrers/"+subject, nil).want(t, 200, digest)
}

func TestLayerIsDownloadedByItsURL(t *testing.T) {
	d := newDepot(t)
	digest := d.layer("web", "layer")
	out, err := d.api.GetDownloadUrlForLayer(t.Context(), &ecr.GetDownloadUrlForLayerInput{RepositoryName: aws.String("web"), LayerDigest: &digest})
	if err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(*out.DownloadUrl, d.s.URL())
	d.login = "" // the URL is enough
	d.send("GET", path, nil).want(t, 200, "layer")
	d.send("GET", path, nil, "Range", "bytes=1-2").want(t, 206, "ay")
	d.send("GET", strings.Replace(path, digest, digestOf("other"), 1), nil).want(t, 403, "Access Denied")
	d.clock.Advance(downloadLife)
	d.send("GET", path, nil).want(t, 403, "Request has expired")
	_, err = d.api.GetDownloadUrlForLayer(t.Context(), &ecr.GetDownloadUrlForLayerInput{RepositoryName: aws.String("web"), LayerDigest: aws.String(digestOf("none"))})
	wantCode(t, err, "LayerInaccessibleException")
}

// TestUploadsGoToDiskSideBySide pushes a large layer while another is stuck.
func TestUploadsGoToDiskSideBySide(t *testing.T) {
	d := newDepot(t)
	stuck, writer := io.Pipe()
	stuckEnded := make(chan struct{})
	at := d.send("POST", "/v2/web/blobs/uploads/", nil).header.Get("Location")
	go func() {
		defer close(stuckEnded)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, d.s.URL()+at, stuck)
		if err != nil {
			t.Error(err)
			return
		}
		r.Header.Set("Authorization", d.login)
		if resp, err := d.http.Do(r); err == nil {
			_ = resp.Body.Close()
		}
	}()
	if _, err := writer.Write([]byte("a part")); err != nil {
		t.Fatal(err)
	}
	const size = 64 << 20
	sum := sha256.New()
	if _, err := io.CopyN(sum, zeros{}, size); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	digest := "sha256:" + hex.EncodeToString(sum.Sum(nil))
	d.send("POST", "/v2/web/blobs/uploads/?digest="+digest, io.LimitReader(zeros{}, size)).want(t, 201, "")
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > size/8 {
		t.Errorf("%d bytes were allocated for a layer of %d", grown, size)
	}
	if got, there := d.s.ecr.repositories["web"].layers.size(digest); !there || got != size {
		t.Errorf("%d bytes are kept", got)
	}
	_ = writer.CloseWithError(io.ErrUnexpectedEOF) // the client breaks off
	<-stuckEnded
	eventually(t, func() bool { return d.send("GET", at, nil).status == http.StatusNotFound })
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestLayersAreRemovedAtClose(t *testing.T) {
	parent := t.TempDir()
	abandonedDir := filepath.Join(parent, layerDirPrefix+"killed")
	if err := os.MkdirAll(filepath.Join(abandonedDir, "1"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(abandonedDir, layerDirLock), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	first, second := newLayerDisk(parent), newLayerDisk(parent)
	for _, d := range []*layerDisk{first, second} {
		f, err := d.newUpload()
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	if _, err := os.Stat(abandonedDir); !os.IsNotExist(err) {
		t.Error("what a killed sandbox left is still there: ", err)
	}
	if left, _ := os.ReadDir(parent); len(left) != 2 {
		t.Errorf("%d directories, want one for each that lives", len(left))
	}
	for _, d := range []*layerDisk{first, second, second} {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, _ := os.ReadDir(parent); len(left) != 0 {
		t.Errorf("%d directories are left", len(left))
	}
	if _, err := first.newUpload(); err == nil {
		t.Error("an upload began after Close")
	}
}

func TestRegistryTellsAFullDisk(t *testing.T) {
	d := newDepot(t)
	at := d.send("POST", "/v2/web/blobs/uploads/", nil).header.Get("Location")
	for _, u := range d.s.ecr.uploads {
		_ = u.file.Close() // writing fails from here on, as it does on a full disk
	}
	d.send("PATCH", at, strings.NewReader("x")).want(t, 413, "The layer could not be kept: write ")
	d.send("PATCH", at, strings.NewReader("x")).want(t, 404, "BLOB_UPLOAD_UNKNOWN")
}

func TestFaultsMeetTheRegistry(t *testing.T) {
	d := newDepot(t)
	d.push("web", "1", "layer")
	f := d.s.Faults()
	f.Deny("BatchGetImage")
	d.send("GET", "/v2/web/manifests/1", nil).want(t, 403, "is not authorized to perform: ecr:BatchGetImage")
	f.Clear()
	f.ThrottleEvery(1)
	d.send("GET", "/v2/web/manifests/1", nil).want(t, 429, "TOOMANYREQUESTS")
	f.Clear()
	f.ExpireToken(true)
	d.send("GET", "/v2/web/manifests/1", nil).want(t, 200, "layers")
	f.Clear()
	f.ExpireRegistryLogins(true)
	d.send("GET", "/v2/web/manifests/1", nil).want(t, 403, "token has expired")
	f.Clear()
	d.send("GET", "/v2/web/manifests/1", nil).want(t, 200, "layers")
	if n := f.Calls()["BatchGetImage"]; n < 4 {
		t.Errorf("%d calls counted", n)
	}
}

// TestManyPushAtOnce lets pushes, removals and readers meet; the race detector
// is the judge, and that what stays can be pulled.
func TestManyPushAtOnce(t *testing.T) {
	d := newDepot(t)
	const pushers, images = 4, 12
	var wait sync.WaitGroup
	for p := range pushers {
		wait.Go(func() {
			for i := range images {
				layer := fmt.Sprintf("layer %d of %d", i, p)
				d.push("web", fmt.Sprintf("keep-%d-%d", p, i), layer)
				d.push("web", fmt.Sprintf("drop-%d-%d", p, i), layer, "dropped "+layer)
				if said := d.remove("web", fmt.Sprintf("drop-%d-%d", p, i)); strings.Contains(said, "!") {
					t.Errorf("remove: %s", said)
				}
			}
		})
	}
	for range 2 {
		wait.Go(func() {
			for range images {
				d.images("web", types.TagStatusAny)
				d.send("GET", "/v2/web/tags/list", nil)
			}
		})
	}
	wait.Wait()
	if n := len(strings.Fields(d.images("web", types.TagStatusAny))); n != pushers*images {
		t.Errorf("%d images are left, want %d", n, pushers*images)
	}
	for p := range pushers {
		for i := range images {
			d.send("GET", fmt.Sprintf("/v2/web/manifests/keep-%d-%d", p, i), nil).want(t, 200, digestOf(fmt.Sprintf("layer %d of %d", i, p)))
			d.send("GET", "/v2/web/blobs/"+digestOf(fmt.Sprintf("layer %d of %d", i, p)), nil).want(t, 200, "layer")
		}
	}
}
