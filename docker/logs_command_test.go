package docker

import (
	"strings"
	"testing"
)

func TestBuildAndLogCommands(t *testing.T) {
	for _, tt := range []struct {
		command Command
		want    string
	}{
		{BuildCommand(BuildOptions{}), "build ."},
		{
			BuildCommand(BuildOptions{Dir: "/src", Dockerfile: "x.Dockerfile", Tags: []string{"a:1", "b"}, Platform: "linux/arm64", Target: "t", NoCache: true, Args: map[string]string{"V": "2", "A": "1"}}),
			"build --tag a:1 --tag b --file x.Dockerfile --platform linux/arm64 --target t --build-arg A=1 --build-arg V=2 --no-cache /src",
		},
		{LogsCommand("web", LogOptions{Follow: true, Tail: 50, Since: logTime}), "logs --timestamps --follow --tail 50 --since 2026-11-23T09:01:19.123456789Z web"},
		{TailCommand("web", "/a.log", TailOptions{Follow: true}), "exec web tail -n 1000 -F /a.log"},
		{StatsCommand("web"), "stats web"},
	} {
		if got := strings.Join(tt.command, " "); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
	secret := strings.Join(BuildCommand(BuildOptions{Args: map[string]string{"NPM_TOKEN": "s3cret-value"}}), " ")
	if strings.Contains(secret, "s3cret-value") {
		t.Errorf("a token is shown: %s", secret)
	}
}
