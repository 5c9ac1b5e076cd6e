//go:build unix

package cli_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"gantry/aws/sandbox"
	"gantry/docker"
	"gantry/internal/cli"
)

// engineWorld is an empty sandbox whose tasks are containers of the real
// engine, with an image in its registry.
type engineWorld struct {
	world
	tb     testing.TB
	dir    string // of the sandbox's run file and lock
	ecs    *ecs.Client
	ecr    *ecr.Client
	pushed *[]string // images that the engine must not keep
	engine *docker.Client
	image  string // of busybox
	digest string
}

// liveEngine is the real engine. Without one the test is skipped, but fails
// where CI promises one.
func liveEngine(tb testing.TB) *docker.Client {
	tb.Helper()
	engine := docker.New(docker.Options{})
	tb.Cleanup(engine.Close)
	if _, err := engine.Engine(tb.Context()); err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatal(err)
		}
		tb.Skip(err)
	}
	return engine
}

func newEngineWorld(tb testing.TB) *engineWorld {
	tb.Helper()
	return newEngineWorldIn(tb, tb.TempDir()+"/run")
}

func newEngineWorldIn(tb testing.TB, dir string) *engineWorld {
	tb.Helper()
	engine := liveEngine(tb)
	server, err := cli.StartSandbox(context.Background(), sandbox.Config{Empty: true, RunDir: dir}, "docker", docker.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	w := &engineWorld{world: world{Server: server.Server}, tb: tb, engine: engine, dir: dir}
	w.t, _ = tb.(*testing.T)
	tb.Cleanup(func() {
		if err := server.Close(); err != nil {
			tb.Error(err)
		}
		w.leftNothing()
	})
	config := sdk.Config{
		Region: server.Region(), BaseEndpoint: sdk.String(server.URL()), HTTPClient: lonely,
		Credentials: credentials.NewStaticCredentialsProvider(server.AccessKeyID(), server.SecretAccessKey(), ""),
	}
	w.ecs = ecs.NewFromConfig(config)
	_, err = w.ecs.CreateCluster(tb.Context(), &ecs.CreateClusterInput{ClusterName: sdk.String("live")})
	w.must(err)
	w.ecr, w.pushed = ecr.NewFromConfig(config), new([]string)
	image := busybox(tb)
	w.image = w.push("busybox", image)
	digest, err := image.Digest()
	w.must(err)
	w.digest = digest.String()
	return w
}

// lonely keeps no connection, which would outlive the test.
var lonely = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: deadline}

func (w *engineWorld) must(err error) {
	w.tb.Helper()
	if err != nil {
		w.tb.Fatal(err)
	}
}

// leftNothing checks that no container and no image of the sandbox is left, and
// removes what its tasks pulled.
func (w *engineWorld) leftNothing() {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	if left := labeled(ctx, w.tb, w.engine, w.dir); len(left) > 0 {
		w.tb.Errorf("left on the engine: %v", left)
	}
	for _, image := range *w.pushed {
		if _, err := w.engine.ImageFacts(ctx, image); !errors.Is(err, docker.ErrNotFound) && !errors.Is(err, docker.ErrImageGone) {
			w.tb.Errorf("%s is left on the engine: %v", image, err)
		}
	}
}

// labeled are the containers, images and volumes of the sandbox with that directory.
func labeled(ctx context.Context, tb testing.TB, engine *docker.Client, dir string) []docker.Labeled {
	tb.Helper()
	found, err := engine.Labeled(ctx, "gantry.sandbox")
	if err != nil {
		tb.Fatal(err)
	}
	return slices.DeleteFunc(slices.Concat(found.Containers, found.Images, found.Volumes), func(l docker.Labeled) bool {
		return !strings.Contains(l.Labels["gantry.sandbox.lock"], dir)
	})
}

func (w *engineWorld) host() string { return strings.TrimPrefix(w.URL(), "http://") }

// busybox is an image with the static busybox of this machine.
func busybox(tb testing.TB) v1.Image {
	tb.Helper()
	return busyboxOf(tb, "sh rm sleep wget httpd test id cat grep env kill tail touch stty true")
}

// busyboxOf is busybox under these names only, besides its own.
func busyboxOf(tb testing.TB, applets string) v1.Image {
	tb.Helper()
	shell, err := os.ReadFile("/bin/busybox")
	if err != nil {
		tb.Skip("no static busybox here: ", err)
	}
	var layer bytes.Buffer
	files := tar.NewWriter(&layer)
	add := func(h tar.Header, content []byte) {
		h.Size = int64(len(content))
		if err := files.WriteHeader(&h); err != nil {
			tb.Fatal(err)
		}
		if _, err := files.Write(content); err != nil {
			tb.Fatal(err)
		}
	}
	add(tar.Header{Name: "bin/busybox", Mode: 0o755}, shell)
	add(tar.Header{Name: "index.html", Mode: 0o644}, []byte("hello from a container"))
	for _, applet := range strings.Fields(applets) {
		add(tar.Header{Name: "bin/" + applet, Typeflag: tar.TypeSymlink, Linkname: "busybox"}, nil)
	}
	if err := files.Close(); err != nil {
		tb.Fatal(err)
	}
	content, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil })
	if err != nil {
		tb.Fatal(err)
	}
	image, err := mutate.AppendLayers(empty.Image, content)
	if err != nil {
		tb.Fatal(err)
	}
	image, err = mutate.ConfigFile(image, configOf(tb, image))
	if err != nil {
		tb.Fatal(err)
	}
	return image
}

// configOf says what the image runs: a web server for its root directory.
func configOf(tb testing.TB, image v1.Image) *v1.ConfigFile {
	tb.Helper()
	file, err := image.ConfigFile()
	if err != nil {
		tb.Fatal(err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	file.Config.Cmd = []string{"sh", "-c", "trap 'exit 0' TERM; httpd -p 8080 -h /; while :; do sleep 1000 & wait; done"}
	file.Config.Env = []string{"PATH=/bin"}
	file.Config.Labels = map[string]string{"gantry.test": tb.Name()}
	return file
}

// push puts an image into the registry, in a repository made for it.
func (w *engineWorld) push(repository string, image v1.Image) string {
	w.tb.Helper()
	_, err := w.ecr.CreateRepository(w.tb.Context(), &ecr.CreateRepositoryInput{RepositoryName: &repository})
	w.must(err)
	out, err := w.ecr.GetAuthorizationToken(w.tb.Context(), nil)
	w.must(err)
	ref, err := name.ParseReference(w.host()+"/"+repository+":1", name.Insecure)
	w.must(err)
	w.must(remote.Write(ref, image, remote.WithTransport(lonely.Transport),
		remote.WithAuth(authn.FromConfig(authn.AuthConfig{Auth: *out.AuthorizationData[0].AuthorizationToken}))))
	*w.pushed = append(*w.pushed, ref.String())
	return ref.String()
}

// family registers a definition of some containers.
func (w *engineWorld) family(change func(*ecs.RegisterTaskDefinitionInput), containers ...types.ContainerDefinition) string {
	w.tb.Helper()
	in := &ecs.RegisterTaskDefinitionInput{
		Family: sdk.String("app"), Cpu: sdk.String("256"), Memory: sdk.String("512"), NetworkMode: types.NetworkModeAwsvpc,
		TaskRoleArn:             sdk.String("arn:aws:iam::000000000000:role/app"),
		ExecutionRoleArn:        sdk.String("arn:aws:iam::000000000000:role/ecsTaskExecutionRole"),
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate}, ContainerDefinitions: containers,
	}
	if change != nil {
		change(in)
	}
	out, err := w.ecs.RegisterTaskDefinition(w.tb.Context(), in)
	w.must(err)
	return *out.TaskDefinition.TaskDefinitionArn
}

// busyboxWith is a container of the image that runs a shell's line, or what the
// image runs if that is empty.
func (w *engineWorld) busyboxWith(container, line string) types.ContainerDefinition {
	c := types.ContainerDefinition{Name: &container, Image: &w.image, StopTimeout: sdk.Int32(2)}
	if line != "" {
		c.Command = []string{"sh", "-c", line}
	}
	return c
}

// runTask runs one task of a definition.
func (w *engineWorld) runTask(definition string) string {
	w.tb.Helper()
	return w.runTasks(definition, 1)[0]
}

func (w *engineWorld) runTasks(definition string, count int32) []string {
	w.tb.Helper()
	out, err := w.ecs.RunTask(w.tb.Context(), &ecs.RunTaskInput{
		Cluster: sdk.String("live"), TaskDefinition: &definition, LaunchType: types.LaunchTypeFargate, Count: &count,
		NetworkConfiguration: network(), EnableExecuteCommand: true,
	})
	w.must(err)
	arns := make([]string, len(out.Tasks))
	for i, t := range out.Tasks {
		arns[i] = *t.TaskArn
	}
	return arns
}

func network() *types.NetworkConfiguration {
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}
}

// task describes a task.
func (w *engineWorld) task(arn string) types.Task {
	w.tb.Helper()
	out, err := w.ecs.DescribeTasks(w.tb.Context(), &ecs.DescribeTasksInput{Cluster: sdk.String("live"), Tasks: []string{arn}})
	w.must(err)
	if len(out.Tasks) != 1 {
		w.tb.Fatalf("no task %s: %+v", arn, out.Failures)
	}
	return out.Tasks[0]
}

// until waits until a task has a status, and returns it as it is then.
func (w *engineWorld) until(arn, status string) types.Task {
	w.tb.Helper()
	var t types.Task
	w.waitFor("task "+status, func() bool {
		t = w.task(arn)
		if status == "RUNNING" && *t.DesiredStatus == "STOPPED" {
			w.tb.Fatalf("the task does not run: %s", sdk.ToString(t.StoppedReason))
		}
		return *t.LastStatus == status
	})
	return t
}

// waitFor polls a condition.
func (w *engineWorld) waitFor(what string, ok func() bool) {
	w.tb.Helper()
	over := time.After(2 * deadline)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-over:
			w.tb.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

// containerOf is a container of a task by name.
func containerOf(t types.Task, name string) types.Container {
	for _, c := range t.Containers {
		if *c.Name == name {
			return c
		}
	}
	return types.Container{}
}
