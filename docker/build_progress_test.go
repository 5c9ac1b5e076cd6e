package docker

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	buildkit "github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
)

func vertex(id, name string) *buildkit.Vertex {
	return &buildkit.Vertex{Digest: digest.Digest(id), Name: name}
}

func during(v *buildkit.Vertex, from, to int) *buildkit.Vertex {
	begin := logTime.Add(time.Duration(from) * time.Second)
	v.Started = &begin
	if to > 0 {
		end := logTime.Add(time.Duration(to) * time.Second)
		v.Completed = &end
	}
	return v
}

func TestGraphFollowsBuildKit(t *testing.T) {
	failed := during(vertex("c", "[2/3] RUN false"), 1, 2)
	failed.Error = "exit code: 1"
	dragged := during(vertex("d", "[other 1/2] COPY a b"), 1, 2)
	dragged.Error = "rpc error: code = Canceled desc = context canceled"
	cached := during(vertex("b", "[1/3] FROM x"), 0, 1)
	cached.Cached = true
	g := newGraph()
	for _, v := range []*buildkit.Vertex{
		vertex("a", "[internal] load build context"), vertex("b", "[1/3] FROM x"), vertex("c", "[2/3] RUN false"), vertex("e", "[3/3] RUN true"),
		cached, during(vertex("a", "[internal] load build context"), 1, 0), failed, dragged,
	} {
		g.apply(&buildkit.SolveStatus{Vertexes: []*buildkit.Vertex{v}})
	}
	var got []string
	for _, s := range g.snapshot().Steps {
		got = append(got, fmt.Sprintf("%s %s|%s|%s", s.Stage, s.Name, s.State, s.Took(logTime.Add(4*time.Second))))
	}
	want := "[internal] load build context|running|3s [1/3] FROM x|cached|1s [2/3] RUN false|failed|1s [3/3] RUN true|queued|0s [other 1/2] COPY a b|canceled|1s"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
	g.finish(errors.New("failed"))
	p := g.snapshot()
	if p.Steps[0].State != StepCanceled || p.Steps[3].State != StepCanceled {
		t.Errorf("after the end: %s, %s", p.Steps[0].State, p.Steps[3].State)
	}
	if s, ok := p.Failed(); !ok || s.ID != "c" {
		t.Errorf("failed: %+v", s)
	}
	if ended, all := p.Count(); ended != 5 || all != 5 {
		t.Errorf("%d of %d", ended, all)
	}
}

// BuildKit runs some steps in parts: done is not done until the last.
func TestGraphStepInParts(t *testing.T) {
	n := newGraph().node("a")
	n.vertex(during(vertex("a", "exporting"), 0, 1))
	n.vertex(during(vertex("a", "exporting"), 2, 0))
	if n.step.State != StepRunning || !n.step.Completed.IsZero() {
		t.Errorf("%+v", n.step)
	}
	n.vertex(during(vertex("a", "exporting"), 2, 5))
	if n.step.State != StepDone || n.step.Took(logTime) != 5*time.Second {
		t.Errorf("%+v", n.step)
	}
}

func TestGraphLogs(t *testing.T) {
	g := newGraph()
	n := g.node("a")
	n.write("one\ntw")
	early := g.snapshot()
	n.write("o\n10%\r50%\r100%\r\nla")
	if got := strings.Join(early.Steps[0].Logs, "|"); got != "one|tw" {
		t.Errorf("an old snapshot has become %q", got)
	}
	if got := strings.Join(g.snapshot().Steps[0].Logs, "|"); got != "one|two|100%|la" {
		t.Errorf("got %q", got)
	}
	for i := range 5 * maxStepLines {
		n.write(fmt.Sprintf("%d\n", i))
	}
	s := g.snapshot().Steps[0]
	if len(s.Logs) != maxStepLines || s.LogsDropped+len(s.Logs) != 5*maxStepLines+3 || s.Logs[maxStepLines-1] != fmt.Sprint(5*maxStepLines-1) {
		t.Errorf("%d lines, %d dropped, last %q", len(s.Logs), s.LogsDropped, s.Logs[len(s.Logs)-1])
	}
	n.write(strings.Repeat("é", maxLineBytes))
	if s := g.snapshot().Steps[0]; len(s.Logs[len(s.Logs)-1]) > maxLineBytes+4 {
		t.Errorf("a line of %d bytes", len(s.Logs[len(s.Logs)-1]))
	}
}

func TestGraphTransfers(t *testing.T) {
	g := newGraph()
	for _, current := range []int64{10, 20, 500} {
		g.apply(&buildkit.SolveStatus{Statuses: []*buildkit.VertexStatus{{ID: "layer", Vertex: "a", Current: current, Total: 100}}})
	}
	if got := g.snapshot().Steps[0].Transfers; len(got) != 1 || got[0] != (Transfer{Name: "layer", Current: 100, Total: 100}) {
		t.Errorf("got %+v", got)
	}
}

// A receiver that never returns slows nobody, and sees the end.
func TestDeliverySlowReceiver(t *testing.T) {
	noLeaks(t)
	free, seen := make(chan struct{}), []int{}
	d := deliver(newGraph(), func(p BuildProgress) {
		<-free
		seen = append(seen, len(p.Steps))
	})
	for i := range 1000 {
		d.update(func(g *graph) { g.node(fmt.Sprint(i)) })
	}
	close(free)
	d.close()
	if last := seen[len(seen)-1]; last != 1000 || len(seen) > 3 {
		t.Errorf("saw %v", seen)
	}
}

const classicTranscript = `{"stream":"Step 1/3 : FROM busybox"}
{"status":"Pulling fs layer","progressDetail":{},"id":"abc"}
{"status":"Downloading","progressDetail":{"current":5,"total":10},"id":"abc"}
{"status":"Pull complete","progressDetail":{},"id":"abc"}
{"stream":"\n"}
{"stream":" ---\u003e e2923ff229df\n"}
{"stream":"Step 2/3 : RUN echo a"}
{"stream":"\n"}
{"stream":" ---\u003e Using cache\n"}
{"stream":" ---\u003e f888\n"}
{"stream":"Step 3/3 : RUN echo b"}
{"stream":"\n"}
{"stream":" ---\u003e Running in 7229c62b8c29\n"}
{"stream":"b\n"}
{"stream":"Removing intermediate container 7229c62b8c29\n"}
{"aux":{"ID":"sha256:f888"}}
{"stream":"Successfully built f888\n"}
`

const podmanTranscript = `{"stream":"STEP 1/2: FROM scratch\n"}
{"stream":"STEP 2/2: COPY a /a\n"}
{"stream":"--> Using cache 8d0a\n"}
{"stream":"COMMIT x\n"}
{"errorDetail":{"message":"building at STEP \"RUN x\": while running runtime: exit status 3"},"error":"x"}
`

func TestReadClassic(t *testing.T) {
	for _, tt := range []struct{ name, transcript, id, err, want string }{
		{"Docker", classicTranscript, "sha256:f888", "", "[1/3] FROM busybox|done [2/3] RUN echo a|cached [3/3] RUN echo b|done"},
		{"Podman", podmanTranscript, "", "exit status 3", "[1/2] FROM scratch|done [2/2] COPY a /a|failed"},
		{"nothing", "", "", "", ""},
		{"rubbish", "<html>", "", "read the builder's answer", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := deliver(newGraph(), func(BuildProgress) {})
			id, err := readClassic(strings.NewReader(tt.transcript), d)
			d.close()
			if id != tt.id || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q, %v", id, err)
			}
			var got []string
			for _, s := range d.snapshot().Steps {
				got = append(got, s.Stage+" "+s.Name+"|"+string(s.State))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, " "), tt.want)
			}
		})
	}
}
