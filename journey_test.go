//go:build unix

package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"gantry/docker"
	"gantry/ui/uitest"
)

// journey is one sitting at the explorer, without an AWS account.
type journey struct {
	*uitest.Terminal
	t        *testing.T
	m        *machine
	engine   *docker.Client
	dir      string // of the Dockerfile
	cli      func(args ...string) string
	registry string // HOST:PORT of the sandbox
}

// The names of the journey: local image and service.
const (
	journeyImage = "gantry-trip:0.0.1"
	journeyNext  = "gantry-trip:0.0.2"
	journeyBase  = "gantry-test/trip-base:1"
)

// TestJourney is the way of an image as the notes of a newcomer tell it: built,
// pushed to ECR, run on ECS as a service, reached, scaled, entered, and broken
// on purpose, by keys alone.
func TestJourney(t *testing.T) {
	j := begin(t)
	j.build(journeyImage)
	digest := j.push()
	j.ship()
	j.reach()
	j.scale()
	j.enter()
	j.agree(digest)
	j.breakIt()
	j.leave()
}

func begin(t *testing.T) *journey {
	c, host := engine(t)
	imageOf(t, c, journeyBase, busybox(t))
	j := &journey{t: t, engine: c, m: newMachine(t, host)}
	j.dir = folder(t, map[string]string{"app.jar": server(t)})
	j.dockerfile("ENTRYPOINT [\"/app.jar\"]")
	t.Cleanup(func() {
		for _, tag := range []string{journeyImage, journeyNext} {
			if facts, err := c.ImageFacts(context.Background(), tag); err == nil {
				forget(c, facts.ID) // with the names that it was pushed by
			}
		}
	})
	j.Terminal = j.m.open("--sandbox")
	j.Wait("docker runtime")
	j.Wait("shop")
	for _, e := range j.m.exports() {
		if url, found := strings.CutPrefix(e, "AWS_ENDPOINT_URL=http://"); found {
			j.registry = url
		}
	}
	j.cli = j.awsCLI()
	return j
}

// dockerfile writes one like the notes', which ends as asked.
func (j *journey) dockerfile(end string) {
	j.t.Helper()
	text := "FROM " + journeyBase + "\n# RUN groupadd spring && useradd spring -g spring\nARG JAR_FILE=*.jar\n" +
		"COPY ${JAR_FILE} app.jar\nENV SERVER_ADDRESS=0.0.0.0\nEXPOSE 8080\nLABEL " + testLabel + "=journey\n" + end + "\n"
	if err := os.WriteFile(j.dir+"/Dockerfile", []byte(text), 0o600); err != nil {
		j.t.Fatal(err)
	}
}

// awsCLI is the AWS CLI on the sandbox. CI insists on it.
func (j *journey) awsCLI() func(args ...string) string {
	program, err := exec.LookPath("aws")
	if err != nil && os.Getenv("CI") == "true" {
		j.t.Fatal(err)
	}
	env := slices.Concat(j.m.env, j.m.exports())
	return func(args ...string) string {
		j.t.Helper()
		if program == "" {
			j.t.Skip("the AWS CLI is not on the PATH; CI insists on it")
		}
		c := exec.CommandContext(j.t.Context(), program, args...)
		c.Env = env
		out, err := c.Output()
		if err != nil {
			j.t.Fatalf("aws %s: %v%s", strings.Join(args, " "), err, stderr(err))
		}
		return strings.TrimSpace(string(out))
	}
}

// build builds the image and finds it selected.
func (j *journey) build(tag string) {
	j.t.Helper()
	j.Type("1b")
	j.Wait("which folder?")
	j.Type("\x15" + j.dir + "\r")
	j.Wait("docker build --tag")
	j.Type("\x15" + tag + "\r")
	j.Wait("✓ built " + tag)
	j.Type("1")
	j.Wait("▸ " + tag)
}

// push makes the repository and pushes to it. It returns the digest that the
// engine printed.
func (j *journey) push() string {
	j.t.Helper()
	j.Type("3n")
	j.Wait("New repository")
	j.Type("helloworld\tmutable\r")
	j.Wait("▸ helloworld")
	j.Type("1p")
	j.Wait("Push " + journeyImage)
	j.Type("\x15helloworld\t\x150.0.1")
	j.Wait("docker push ")
	j.Type("\r")
	j.Wait("✓ pushed helloworld:0.0.1 in")
	j.Type("y")
	j.Wait("copied ")
	text, _, _ := strings.Cut(strings.TrimPrefix(j.Copied(), "\x1b]52;c;"), "\a")
	copied, err := base64.StdEncoding.DecodeString(text)
	_, digest, found := strings.Cut(string(copied), "/helloworld@")
	if err != nil || !found || len(digest) != len("sha256:")+64 {
		j.t.Fatalf("copied %q, %v", copied, err)
	}
	return digest
}

// ship makes a service of the image, and watches until it is steady.
func (j *journey) ship() {
	j.t.Helper()
	j.Type("1S")
	j.Wait("to which service?")
	j.Type("new service in shop\r")
	j.Wait("New service in shop: what runs?")
	j.Type("\x15helloworld\t\x15helloworld\t\x15helloworld\t")
	j.Wait("8080") // exposed by the image
	j.Type("\t\t\x152\r")
	j.Wait("where, and as whom?")
	j.Type("\t\t\t\t\x15ecsTaskRole\x1b[B\ton\r")
	j.Wait("Nothing is done yet")
	j.Wait("2 tasks start")
	j.Wait("helloworld has this digest already") // and nothing is pushed again
	j.Type("\r")
	j.Wait("steady after")
	j.Wait("2 of 2 run helloworld:1")
	j.Shot("ship")
}

// openService selects the service that was shipped to.
func (j *journey) openService() {
	j.t.Helper()
	j.Type("4G")
	j.Wait("▸ shop")
	j.Type("\r/\x15helloworld\r")
	j.Wait("Services 1/5 /helloworld ")
}

// reach asks a task for a page, at the port that its containers tab names.
func (j *journey) reach() {
	j.t.Helper()
	j.openService()
	j.Wait("2/2")
	j.Type("\r")
	j.Wait("Tasks 2")
	j.Wait("▸ helloworld/")
	j.Type("]")
	j.Wait("8080/tcp at 127.0.0.1:")
	_, rest, _ := strings.Cut(j.Text(), "8080/tcp at ")
	if body := j.get("http://" + rest[:strings.IndexAny(rest, " \n│")]); body != "hello\n" {
		j.t.Errorf("the task answers %q", body)
	}
}

func (j *journey) get(url string) string {
	j.t.Helper()
	request, err := http.NewRequestWithContext(j.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		j.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		j.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		j.t.Fatal(err)
	}
	return string(body)
}

// scale runs a third task, as a third container.
func (j *journey) scale() {
	j.t.Helper()
	j.Type("5s3\r")
	j.Wait("scaled helloworld 2 → 3")
	j.Wait("3/3")
	j.run(3)
}

// run waits until as many containers of the service run in the engine.
func (j *journey) run(n int) {
	j.t.Helper()
	waitFor(j.t, fmt.Sprintf("%d containers of the service", n), func() bool { return len(j.containers()) == n })
}

// containers are those of the service that run in the engine.
func (j *journey) containers() []docker.Container {
	j.t.Helper()
	all, err := j.engine.Containers(j.t.Context())
	if err != nil {
		j.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(c docker.Container) bool {
		return !c.Running() || !strings.HasPrefix(c.Name, "ecs-helloworld-") || !strings.HasPrefix(c.Image, j.registry)
	})
}

// enter opens a shell in a task.
func (j *journey) enter() {
	j.t.Helper()
	j.Type("6e")
	j.Wait("/ # ")
	j.Type("echo in-$((6*7)); ls /app.jar\r")
	j.Wait("in-42")
	j.Wait("/app.jar")
	j.Type("exit\r")
	j.Wait("ended")
}

// agree compares what the engine printed with what others say of the image.
func (j *journey) agree(digest string) {
	j.t.Helper()
	if says := j.cli("ecr", "describe-images", "--repository-name", "helloworld", "--query", "imageDetails[0].imageDigest", "--output", "text"); says != digest {
		j.t.Errorf("aws ecr describe-images says %s, the engine %s", says, digest)
	}
	uri := j.cli("ecr", "describe-repositories", "--repository-names", "helloworld", "--query", "repositories[0].repositoryUri", "--output", "text")
	auth := docker.RegistryAuth{Username: "AWS", Password: j.cli("ecr", "get-login-password")}
	pulled, err := j.engine.Pull(j.t.Context(), uri+"@"+digest, "", auth, func(docker.TransferProgress) {})
	if err != nil || pulled != digest {
		j.t.Errorf("pull by digest: %q, %v", pulled, err)
	}
}

// breakIt ships an image whose program ends at once, and sees the circuit
// breaker bring the good one back.
func (j *journey) breakIt() {
	j.t.Helper()
	j.dockerfile("ENTRYPOINT [\"/bin/sh\", \"-c\", \"exit 3\"]")
	j.build(journeyNext)
	j.Type("S")
	j.Wait("to which service?")
	j.Type("shop/helloworld\r")
	j.Wait("Nothing is done yet")
	j.Wait("3 tasks are replaced")
	j.Type("\r")
	waitFor(j.t, "the rollback", func() bool { return strings.Contains(j.Text(), "the circuit breaker brought back helloworld:1") })
	j.Wait("Essential container in task exited")
	j.Shot("rollback")
	j.openService()
	j.Wait("steady")
	j.Wait("helloworld:1")
	j.run(3)
}

// leave quits, and nothing of the sandbox is left in the engine.
func (j *journey) leave() {
	j.t.Helper()
	j.Type("q")
	if strings.Contains(j.Text(), "Quit?") {
		j.Type("y")
	}
	if err := j.Ended(); err != nil {
		j.t.Errorf("ended with %v", err)
	}
	j.run(0)
}
