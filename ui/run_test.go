package ui_test

import (
	"slices"
	"testing"

	"gantry/docker"
	"gantry/internal/diagnose"
)

func exposing() *fakeImages {
	e := newFakeImages()
	e.config = docker.ImageConfig{
		Platform: "linux/amd64", Ports: []docker.Port{{Container: 8080, Proto: "tcp"}, {Container: 53, Proto: "udp"}},
		Entrypoint: []string{"java", "-jar", "/app.jar"}, Env: []string{"PATH=/bin", "PROFILE=develop"}, Volumes: []string{"/var/data"},
	}
	return e
}

func TestRunScreens(t *testing.T) {
	for _, size := range sizes {
		t.Run(sizeName(size.w, size.h), func(t *testing.T) {
			s := showImages(t, exposing(), size.w, size.h)
			s.Wait("base:1")
			s.Type("r")
			s.Wait("Run base:1")
			s.Type("shop\t\tTOKEN=abc\t\t\t")
			s.Wait("on a terminal here")
			s.Settle()
			s.Golden()
		})
	}
}

func TestRunInTheBackground(t *testing.T) {
	e := exposing()
	s := showImages(t, e, 120, 40)
	s.Wait("base:1")
	s.Type("r")
	s.Wait("8080:8080 53:53/udp")
	s.Wait("The image runs: java -jar /app.jar")
	s.Type("shop\t\tPROFILE=secret-value\t/srv/a:/b:ro\t--flag 'two words'\t\t\x1b[B\tlinux/arm64")
	s.Wait("PROFILE=••••••")
	s.Wait("--rm")
	s.Type("\r")
	s.Wait("runs: shop")
	o := e.lastRan()
	want := docker.RunOptions{
		Image: "base:1", Name: "shop", Ports: []docker.Port{{Host: 8080, Container: 8080, Proto: "tcp"}, {Host: 53, Container: 53, Proto: "udp"}},
		Env: []string{"PROFILE=secret-value"}, Volumes: []string{"/srv/a:/b:ro"}, Command: []string{"--flag", "two words"}, RemoveOnExit: true, Platform: "linux/arm64",
	}
	if !slices.Equal(o.Ports, want.Ports) || !slices.Equal(o.Env, want.Env) || !slices.Equal(o.Volumes, want.Volumes) || !slices.Equal(o.Command, want.Command) ||
		o.Name != want.Name || o.Image != want.Image || !o.RemoveOnExit || o.Platform != want.Platform {
		t.Errorf("ran %+v, want %+v", o, want)
	}

	s.Type("r") // again, with what was said
	s.Wait("PROFILE=")
	s.Wait("linux/arm64")
	s.Gone("secret-value")
	s.Type("\r")
	s.Wait("never their values")
	s.Type("\t\t\x15\r")
	s.Gone("never their values")
	s.Wait("runs: shop")
	if o := e.lastRan(); len(o.Env) != 0 || o.Name != "shop" || !o.RemoveOnExit {
		t.Errorf("ran %+v", o)
	}
}

func TestRunAnswersAreChecked(t *testing.T) {
	e := exposing()
	s := showImages(t, e, 120, 40)
	s.Wait("base:1")
	for _, wrong := range []struct{ keys, answer string }{
		{"\teighty\r", "eighty"},
		{"\t\t=x\r", "has no name"},
		{"\t\t\tdata\r", "has no path in the container"},
		{"\t\t\t\t'open\r", "quote"},
	} {
		s.Type("r")
		s.Wait("Run base:1")
		s.Type(wrong.keys)
		s.Wait(wrong.answer)
		s.Type("\x1b")
		s.Gone("Run base:1")
	}
	if o := e.lastRan(); o.Image != "" {
		t.Errorf("something ran: %+v", o)
	}
}

func TestRunTellsWhyNot(t *testing.T) {
	e := exposing()
	e.runErr = &diagnose.Error{What: "run base:1", Cause: "port 8080 is taken", Do: "publish another one", Err: docker.ErrPortTaken}
	s := showImages(t, e, 120, 40)
	s.Wait("base:1")
	s.Type("r")
	s.Wait("Run base:1")
	s.Type("\r")
	s.Wait("port 8080 is taken")
	s.Wait("→ publish another one")
}

func TestRunOnATerminal(t *testing.T) {
	e := exposing()
	s := showImages(t, e, 120, 40)
	s.Wait("base:1")
	s.Type("r")
	s.Wait("Run base:1")
	s.Type("\t\t\t\t\t\x1b[B")
	s.Wait("docker run --interactive --tty")
	s.Type("\r")
	s.Wait("run base:1")
	s.Wait("this engine has no terminals")
}
