//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"gantry/docker"
	"gantry/ui/uitest"
)

// chapter is one sitting at the Docker chapter of the newcomer's notes.
type chapter struct {
	*uitest.Terminal
	t    *testing.T
	port int // of this machine
}

// The names of the chapter.
const (
	chapterBase  = "gantry-test/chapter-base:1"
	chapterImage = "gantry-test/testrest2:latest"
	chapterName  = "gantry-chapter"
)

// TestDockerChapter does what the notes do by docker commands, by keys alone:
// an image is built and seen in the list, runs with a published port, is
// entered, its log is read and found. It says why curl is reset, and is mended.
func TestDockerChapter(t *testing.T) {
	c, host := engine(t)
	files := busybox(t)
	files["java"] = server(t) // what a Spring application does by default: it listens on 127.0.0.1
	files["Dockerfile"] += "COPY java /bin/java\n"
	imageOf(t, c, chapterBase, files)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_ = c.RemoveContainer(ctx, chapterName, docker.ContainerRemoval{Force: true, Volumes: true})
		forget(c, chapterImage)
	})
	dir := folder(t, map[string]string{
		"app.jar": "classes",
		"Dockerfile": "FROM " + chapterBase + "\n# RUN groupadd spring && useradd spring -g spring\nARG JAR_FILE=*.jar\nCOPY ${JAR_FILE} app.jar\n" +
			"EXPOSE 8080\nLABEL " + testLabel + "=chapter\nENTRYPOINT [\"java\",\"-jar\",\"/app.jar\"]\n",
	})
	ch := &chapter{t: t, Terminal: newMachine(t, host).open("--sandbox", "--runtime", "none"), port: freePort(t)}
	ch.Wait("Images")
	ch.build(dir)
	ch.run("")
	ch.enter()
	ch.log()
	ch.explained()
	ch.mended()
	ch.stop()
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // ends at once
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// curl is what the app answers, or how that fails.
func (c *chapter) curl() (string, error) {
	request, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/", c.port), nil)
	if err != nil {
		return "", err
	}
	request.Close = true
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

// build is docker build -t, and docker images.
func (c *chapter) build(dir string) {
	c.Type("1b")
	c.Wait("which folder?")
	c.Type("\x15" + dir + "\r")
	c.Wait("docker build --tag")
	c.Type("\x15" + chapterImage + "\r")
	c.Wait("✓ built " + chapterImage)
	c.Type("1")
	c.Wait("image       " + chapterImage)
}

// run is docker run -d -p, and docker ps.
func (c *chapter) run(env string) {
	c.Type("1r")
	c.Wait("Run " + chapterImage)
	c.Type(fmt.Sprintf("\x15%s\t\x15127.0.0.1:%d:8080\t%s", chapterName, c.port, env))
	c.Wait("docker run --detach --name " + chapterName)
	c.Type("\r")
	c.Wait("runs: " + chapterName)
	c.Type("2")
	c.Wait("container   " + chapterName)
	c.Wait("state       ✓ running")
}

// enter is docker exec -it.
func (c *chapter) enter() {
	c.Type("2e")
	c.Wait("/ # ")
	c.Type("echo in-$((6*7)); ls /app.jar\r")
	c.Wait("in-42")
	c.Wait("/app.jar")
	c.Type("exit\r")
	c.Wait("ended")
	c.Type("x")
}

// log is docker logs, and docker inspect for where they lie.
func (c *chapter) log() {
	c.Type("2lz")
	c.Wait("listening on 127.0.0.1:8080")
	c.Wait("json-file · /")
	c.Wait("-json.log · no rotation: ")
	c.Type("zx")
}

// explained tells what curl sees, why, and what to do.
func (c *chapter) explained() {
	if body, err := c.curl(); err == nil {
		c.t.Fatalf("the app answers %q before it is mended", body)
	}
	c.Type("2")
	c.Wait(fmt.Sprintf("!%d", c.port))
	c.Type("w")
	c.Wait("(56) Recv failure: Connection reset by peer")
	c.Wait("127.0.0.1:8080")
	c.Wait("SERVER_ADDRESS=0.0.0.0")
	c.Type("x")
}

// mended runs it again as it was told to.
func (c *chapter) mended() {
	c.remove()
	c.run("SERVER_ADDRESS=0.0.0.0")
	c.Wait(fmt.Sprintf("✓%d", c.port))
	if body, err := c.curl(); err != nil || body != "hello\n" {
		c.t.Errorf("curl: %q, %v", body, err)
	}
}

// stop is docker stop and docker ps -a.
func (c *chapter) stop() {
	c.Type("2s")
	c.Wait("stopped " + chapterName)
	c.Wait("state       ✗ exited")
	c.remove()
}

func (c *chapter) remove() {
	c.Type("2D")
	c.Wait("Delete " + chapterName)
	c.Type("y")
	c.Wait("deleted " + chapterName)
}
