package docker

import (
	"os/exec"
	"strings"
	"testing"
)

func TestCommandLines(t *testing.T) {
	settings(t, `{}`, map[string]string{"far": "unix:///far.sock"})
	here, far, host := New(Options{}), New(Options{Context: "far"}), New(Options{Host: "unix:///mine.sock"})
	run := RunOptions{
		Image: "web:1", Name: "web", Ports: []Port{{Host: 8080, Container: 80, Proto: "tcp"}, {HostIP: "::1", Host: 53, Container: 53, Proto: "udp"}},
		Env: []string{"DB_PASSWORD=hunter2", "GREETING=it's a day", "HOME"}, Volumes: []string{"/my dir:/data:ro"}, RemoveOnExit: true,
		Platform: "linux/amd64", Labels: map[string]string{"b": "2", "a": "1"},
		Entrypoint: []string{"sh", "-c"}, Command: []string{"echo $HOME; exit 1", "--token", "abc"},
	}
	for want, got := range map[string]string{
		"docker stop web db":                                   here.CommandLine(StopCommand("web", "db")),
		"docker --context far start web":                       far.CommandLine(StartCommand("web")),
		"docker --host unix:///mine.sock restart web":          host.CommandLine(RestartCommand("web")),
		"docker kill web":                                      here.CommandLine(KillCommand("web", "")),
		"docker kill --signal HUP web":                         here.CommandLine(KillCommand("web", "HUP")),
		"docker rm --force --volumes web":                      here.CommandLine(ContainerRemoval{Force: true, Volumes: true}.Command("web")),
		"docker rmi web:1":                                     here.CommandLine(ImageRemoval{}.Command("web:1")),
		"docker rename web 'my web; rm -rf /'":                 here.CommandLine(RenameCommand("web", "my web; rm -rf /")),
		"docker cp web:/var/log/a.log .":                       here.CommandLine(CopyOutCommand("web", "/var/log/a.log", ".")),
		"docker exec --interactive --tty web bash":             here.CommandLine(ExecCommand("web", "bash")),
		"docker builder prune --all --force":                   here.CommandLine(PrunePlan{{Kind: PruneBuildCache}}.Commands()[0]),
		"docker volume rm data":                                here.CommandLine(PrunePlan{{Kind: PruneNamedVolumes, Items: []PruneItem{{ID: "data"}}}}.Commands()[0]),
		"docker run --interactive --tty --rm --name x busybox": here.CommandLine(RunAttachedCommand(RunOptions{Image: "busybox", Name: "x", RemoveOnExit: true})),
		"docker run --detach --rm --name web --platform linux/amd64 --publish 8080:80 --publish '[::1]:53:53/udp' " +
			"--env 'DB_PASSWORD=••••••' --env 'GREETING=it'\\''s a day' --env HOME --volume '/my dir:/data:ro' --label a=1 --label b=2 " +
			"--entrypoint sh web:1 -c 'echo $HOME; exit 1' --token '••••••'": here.CommandLine(RunCommand(run)),
	} {
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// A shell reads back exactly the word that was quoted.
func TestQuote(t *testing.T) {
	for _, word := range []string{"plain", "", "a b", "it's", `"$(rm -rf /)"`, "a\nb", "日本 語", "--flag=x", "`id`", `\`, "*", "~", "a;b&c|d"} {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+quote(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q is read as %q, %v", word, out, err)
		}
	}
	if q := quote("a/b:c@d,e=f"); strings.Contains(q, "'") {
		t.Errorf("a plain word was quoted: %s", q)
	}
}
