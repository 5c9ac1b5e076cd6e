package sandbox

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"gantry/internal/pattern"
)

// testLabel is on everything that a test makes in the real engine.
const testLabel = "gantry.test"

// engine is the docker command line, with a configuration that ends with the
// test. Without an engine the test is skipped, but fails where CI promises one.
type engine struct {
	t      *testing.T
	config string
}

func liveEngine(t *testing.T) engine {
	t.Helper()
	e := engine{t, t.TempDir()}
	if _, err := e.try("", "version"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no engine: ", err)
		}
		t.Skip("no engine: ", err)
	}
	return e
}

func (e engine) try(stdin string, args ...string) (string, error) {
	c := exec.CommandContext(e.t.Context(), "docker", args...)
	c.Env = append(os.Environ(), "DOCKER_CONFIG="+e.config)
	c.Stdin = strings.NewReader(stdin)
	out, err := c.CombinedOutput()
	if err != nil {
		err = errors.Join(err, errors.New(string(out)))
	}
	return string(out), err
}

func (e engine) run(args ...string) string {
	e.t.Helper()
	out, err := e.try("", args...)
	if err != nil {
		e.t.Fatalf("docker %s: %v", strings.Join(args, " "), err)
	}
	return out
}

func (e engine) refuses(want string, args ...string) {
	e.t.Helper()
	if _, err := e.try("", args...); err == nil || !strings.Contains(err.Error(), want) {
		e.t.Errorf("docker %s: %v\nwant %q", strings.Join(args, " "), err, want)
	}
}

// login gives docker a token of the API.
func (e engine) login(s *Server, api *ecr.Client) {
	e.t.Helper()
	out, err := api.GetAuthorizationToken(e.t.Context(), nil)
	if err != nil {
		e.t.Fatal(err)
	}
	pair, err := base64.StdEncoding.DecodeString(*out.AuthorizationData[0].AuthorizationToken)
	if err != nil {
		e.t.Fatal(err)
	}
	user, password, _ := strings.Cut(string(pair), ":")
	host := strings.TrimPrefix(s.URL(), "http://")
	if said, err := e.try(password, "login", "-u", user, "--password-stdin", host); err != nil {
		e.t.Fatal(err, said)
	}
}

// image makes an image with one layer that no other has.
func (e engine) image(ref string) {
	e.t.Helper()
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	content := []byte(rand.Text())
	if err := w.WriteHeader(&tar.Header{Name: "file", Mode: 0o644, Size: int64(len(content))}); err != nil {
		e.t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		e.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		e.t.Fatal(err)
	}
	file := filepath.Join(e.t.TempDir(), "layer.tar")
	if err := os.WriteFile(file, layer.Bytes(), 0o600); err != nil {
		e.t.Fatal(err)
	}
	e.run("import", "--change", "LABEL "+testLabel+"="+e.t.Name(), file, ref)
	e.cleanUp(ref)
}

// cleanUp removes an image at the test's end, if it is there then.
func (e engine) cleanUp(ref string) {
	e.t.Cleanup(func() {
		_ = exec.Command("docker", "rmi", "-f", ref).Run() //nolint:noctx // the test's context is over by now
	})
}

var pushedDigest = pattern.Late(`digest: (sha256:[0-9a-f]{64})`)

func (e engine) push(ref string) (digest string) {
	e.t.Helper()
	out := e.run("push", ref)
	found := pushedDigest().FindStringSubmatch(out)
	if found == nil {
		e.t.Fatalf("docker push says no digest:\n%s", out)
	}
	return found[1]
}

func TestDockerPushesAndPulls(t *testing.T) {
	e := liveEngine(t)
	clock := newManualClock()
	s := startServer(t, func(c *Config) { c.Clock = clock; c.RegistryDir = t.TempDir() })
	api := ecr.NewFromConfig(client(t, s))
	uri := strings.TrimPrefix(s.URL(), "http://") + "/team/web"
	e.image(uri + ":1")

	e.refuses("no basic auth credentials", "push", uri+":1")
	e.login(s, api)
	e.refuses("name unknown: The repository with name 'team/web' does not exist in the registry with id '000000000000'", "push", uri+":1")
	if _, err := api.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{
		RepositoryName: aws.String("team/web"), ImageTagMutability: types.ImageTagMutabilityImmutable,
	}); err != nil {
		t.Fatal(err)
	}
	digest := e.push(uri + ":1")
	described := describeImage(t, api, "team/web", "1")
	if *described.ImageDigest != digest {
		t.Errorf("ECR says %s, docker %s", *described.ImageDigest, digest)
	}
	if !described.ImagePushedAt.Equal(clock.Now()) || described.LastRecordedPullTime != nil {
		t.Errorf("pushed %v, pulled %v", described.ImagePushedAt, described.LastRecordedPullTime)
	}
	if again := e.push(uri + ":1"); again != digest {
		t.Errorf("the second push says %s", again)
	}
	t.Run("the AWS CLI sees its digest", func(t *testing.T) { cliSeesDigest(t, s, digest) })

	clock.Advance(time.Hour)
	e.run("rmi", uri+":1")
	e.cleanUp(uri + "@" + digest)
	e.run("pull", uri+"@"+digest)
	if pulled := describeImage(t, api, "team/web", "1").LastRecordedPullTime; pulled == nil || !pulled.Equal(clock.Now()) {
		t.Errorf("pulled %v, want %v", pulled, clock.Now())
	}
	e.refuses("manifest for "+uri+":2 not found: manifest unknown: Requested image not found", "pull", uri+":2")

	e.image(uri + ":1")
	e.refuses("tag invalid: The image tag '1' already exists in the 'team/web' repository and cannot be overwritten because the repository is immutable.", "push", uri+":1")
	clock.Advance(12 * time.Hour)
	e.refuses("denied: Your authorization token has expired. Reauthenticate and try again.", "push", uri+":1")
	if _, err := e.try("made up", "login", "-u", "AWS", "--password-stdin", strings.TrimPrefix(s.URL(), "http://")); err == nil {
		t.Error("a made-up token was taken")
	}

	e.login(s, api)
	if _, err := api.BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{
		RepositoryName: aws.String("team/web"), ImageIds: []types.ImageIdentifier{{ImageDigest: &digest}},
	}); err != nil {
		t.Fatal(err)
	}
	// By its digest the engine would not even ask: it keeps manifests for a while.
	e.refuses("manifest for "+uri+":1 not found: manifest unknown: Requested image not found", "pull", uri+":1")
	e.push(uri + ":1")
}

func cliSeesDigest(t *testing.T, s *Server, digest string) {
	t.Helper()
	cli := findAWSCLI(t)
	out, err := awsCLI(t, s, cli, "ecr", "describe-images", "--repository-name", "team/web", "--query", "imageDetails[0].imageDigest", "--output", "text")
	if err != nil || strings.TrimSpace(out) != digest {
		t.Errorf("aws ecr describe-images: %v: %s", err, out)
	}
	if out, err = awsCLI(t, s, cli, "ecr", "get-login-password"); err != nil || strings.TrimSpace(out) == "" {
		t.Errorf("aws ecr get-login-password: %v", err)
	}
}

// TestDockerIsDeniedByName is what a policy that forbids a part of a push does.
func TestDockerIsDeniedByName(t *testing.T) {
	e := liveEngine(t)
	s := startServer(t, func(c *Config) { c.RegistryDir = t.TempDir() })
	api := ecr.NewFromConfig(client(t, s))
	uri := strings.TrimPrefix(s.URL(), "http://") + "/web"
	createRepository(t, api, "web")
	e.image(uri + ":1")
	e.login(s, api)
	s.Faults().Deny("InitiateLayerUpload")
	e.refuses("is not authorized to perform: ecr:InitiateLayerUpload", "push", uri+":1")
	s.Faults().Clear()
	s.Faults().ExpireRegistryLogins(true)
	e.refuses("denied: Your authorization token has expired", "push", uri+":1")
	s.Faults().Clear()
	digest := e.push(uri + ":1")

	// The engine asks to mount the layers from "web", and has to send them.
	createRepository(t, api, "other")
	other := strings.TrimPrefix(s.URL(), "http://") + "/other:1"
	e.cleanUp(other)
	e.run("tag", uri+":1", other)
	if again := e.push(other); again != digest {
		t.Errorf("pushed to another repository it is %s, not %s", again, digest)
	}
}

func createRepository(t *testing.T, api *ecr.Client, name string) {
	t.Helper()
	if _, err := api.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: &name}); err != nil {
		t.Fatal(err)
	}
}

func describeImage(t *testing.T, api *ecr.Client, repository, tag string) types.ImageDetail {
	t.Helper()
	out, err := api.DescribeImages(t.Context(), &ecr.DescribeImagesInput{
		RepositoryName: &repository, ImageIds: []types.ImageIdentifier{{ImageTag: &tag}},
	})
	if err != nil || len(out.ImageDetails) != 1 {
		t.Fatalf("describe %s:%s: %v, %+v", repository, tag, err, out)
	}
	return out.ImageDetails[0]
}
