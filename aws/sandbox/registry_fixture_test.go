package sandbox

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// depot is a sandbox with a repository "web", its API and its registry.
type depot struct {
	t     *testing.T
	s     *Server
	api   *ecr.Client
	clock *manualClock
	http  *http.Client
	login string // Authorization header
}

func newDepot(t *testing.T) *depot {
	t.Helper()
	clock := newManualClock()
	s := startServer(t, func(c *Config) { c.Clock, c.RegistryDir = clock, t.TempDir() })
	config := client(t, s)
	d := &depot{t, s, ecr.NewFromConfig(config), clock, config.HTTPClient.(*http.Client), ""}
	d.logIn()
	createRepository(t, d.api, "web")
	return d
}

func (d *depot) logIn() {
	d.t.Helper()
	out, err := d.api.GetAuthorizationToken(d.t.Context(), nil)
	if err != nil {
		d.t.Fatal(err)
	}
	d.login = "Basic " + *out.AuthorizationData[0].AuthorizationToken
}

// reply is what the registry said.
type reply struct {
	status int
	header http.Header
	body   string
}

// send makes a request of the registry protocol. The pairs are headers.
func (d *depot) send(method, path string, body io.Reader, pairs ...string) reply {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.s.URL()+path, body)
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Authorization", d.login)
	for i := 0; i+1 < len(pairs); i += 2 {
		r.Header.Set(pairs[i], pairs[i+1])
	}
	resp, err := d.http.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(said)}
}

// want checks the status of an reply and, of one that refuses, code and text.
func (a reply) want(t *testing.T, status int, text string) {
	t.Helper()
	if a.status != status || !strings.Contains(a.body, text) {
		t.Errorf("got %d %s\nwant %d %s", a.status, a.body, status, text)
	}
}

func digestOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// layer uploads a blob in one request.
func (d *depot) layer(repository, content string) (digest string) {
	d.t.Helper()
	digest = digestOf(content)
	a := d.send(http.MethodPost, "/v2/"+repository+"/blobs/uploads/?digest="+digest, strings.NewReader(content))
	if a.status != http.StatusCreated {
		d.t.Fatalf("upload: %d %s", a.status, a.body)
	}
	return digest
}

const (
	imageType = "application/vnd.oci.image.manifest.v1+json"
	indexType = "application/vnd.oci.image.index.v1+json"
)

type object = map[string]any

// manifest spells an image of uploaded layers; the configuration is one of them.
func (d *depot) manifest(repository string, layers ...string) string {
	d.t.Helper()
	describe := func(kind, content string) object {
		return object{"mediaType": kind, "size": len(content), "digest": d.layer(repository, content)}
	}
	var listed []object
	for _, content := range layers {
		listed = append(listed, describe("application/vnd.oci.image.layer.v1.tar+gzip", content))
	}
	config := describe("application/vnd.oci.image.config.v1+json", fmt.Sprintf(`{"os":"linux","about":%q}`, layers))
	return spell(d.t, object{"schemaVersion": 2, "mediaType": imageType, "config": config, "layers": listed})
}

func spell(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// push pushes an image of layers under a tag.
func (d *depot) push(repository, tag string, layers ...string) (digest string) {
	d.t.Helper()
	return d.put(repository, tag, imageType, d.manifest(repository, layers...))
}

// put puts a manifest under a tag, or under its digest if that is empty.
func (d *depot) put(repository, tag, mediaType, manifest string) (digest string) {
	d.t.Helper()
	digest = digestOf(manifest)
	target := tag
	if target == "" {
		target = digest
	}
	a := d.send(http.MethodPut, "/v2/"+repository+"/manifests/"+target, strings.NewReader(manifest), "Content-Type", mediaType)
	if a.status != http.StatusCreated || a.header.Get("Docker-Content-Digest") != digest {
		d.t.Fatalf("put %s: %d %s", target, a.status, a.body)
	}
	return digest
}

// remove deletes images by the ids' "tag" or "sha256:…" and gives what the API
// said of it, short: "v1" removed, "v2!ImageNotFound" failed.
func (d *depot) remove(repository string, refs ...string) string {
	d.t.Helper()
	in := &ecr.BatchDeleteImageInput{RepositoryName: &repository}
	for _, ref := range refs {
		in.ImageIds = append(in.ImageIds, idOf(ref))
	}
	out, err := d.api.BatchDeleteImage(d.t.Context(), in)
	if err != nil {
		d.t.Fatal(err)
	}
	var said []string
	for _, id := range out.ImageIds {
		said = append(said, shortID(id))
	}
	for _, f := range out.Failures {
		said = append(said, shortID(*f.ImageId)+"!"+string(f.FailureCode))
	}
	return strings.Join(said, " ")
}

func idOf(ref string) types.ImageIdentifier {
	if strings.HasPrefix(ref, "sha256:") {
		return types.ImageIdentifier{ImageDigest: &ref}
	}
	return types.ImageIdentifier{ImageTag: &ref}
}

// shortID is an id's tag, or the first digits of its digest without one.
func shortID(id types.ImageIdentifier) string {
	if id.ImageTag != nil {
		return *id.ImageTag
	}
	return aws.ToString(id.ImageDigest)[:12]
}

// images lists a repository in pages of two, as shortID has it.
func (d *depot) images(repository string, status types.TagStatus) string {
	d.t.Helper()
	in := &ecr.ListImagesInput{RepositoryName: &repository, MaxResults: aws.Int32(2), Filter: &types.ListImagesFilter{TagStatus: status}}
	var all []string
	for p := ecr.NewListImagesPaginator(d.api, in); p.HasMorePages(); {
		out, err := p.NextPage(d.t.Context())
		if err != nil {
			d.t.Fatal(err)
		}
		for _, id := range out.ImageIds {
			all = append(all, shortID(id))
		}
	}
	return strings.Join(all, " ")
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}
