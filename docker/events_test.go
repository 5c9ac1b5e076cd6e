package docker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/events"
)

// followed are the events of a client, as they come.
func followed(t *testing.T, c *Client) (<-chan Event, func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	got, ended := make(chan Event, 64), make(chan error, 1)
	go func() { ended <- c.Events(ctx, func(e Event) { got <- e }) }()
	stop := func() error {
		cancel()
		return <-ended
	}
	t.Cleanup(func() { cancel() })
	return got, stop
}

// stream answers /events with messages and then keeps the stream open.
func stream(messages <-chan string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = http.NewResponseController(w).Flush()
		for {
			select {
			case m := <-messages:
				_, _ = w.Write([]byte(m))
				_ = http.NewResponseController(w).Flush()
			case <-r.Context().Done():
				return
			}
		}
	}
}

func message(kind, action, id, attributes string) string {
	return fmt.Sprintf(`{"Type":%q,"Action":%q,"Actor":{"ID":%q,"Attributes":{%s}},"timeNano":1700000000000000000}`, kind, action, id, attributes)
}

func TestEventsSurviveAnEngineThatGoesAway(t *testing.T) {
	noLeaks(t)
	messages := make(chan string, 16)
	e := fake(t, "1.41", map[string]http.HandlerFunc{"/v1.41/events": stream(messages), "/v1.44/events": stream(messages)})
	c := e.client(t, Options{})
	got, stop := followed(t, c)

	expect(t, got, EngineEvent, Resync)
	messages <- message("container", "die", "1", `"exitCode":"137","name":"web"`)
	if died := expect(t, got, ContainerEvent, "die"); died.ExitCode != 137 || died.Name != "web" {
		t.Errorf("%+v", died)
	}
	e.stop()
	if lost := expect(t, got, EngineEvent, Lost); !isTold(lost.Err) {
		t.Errorf("lost without a reason: %v", lost.Err)
	}
	// It comes back as another version: what was negotiated must not stick.
	e.mux = http.NewServeMux()
	e.mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", "1.44") })
	e.mux.HandleFunc("/v1.44/events", stream(messages))
	e.mux.HandleFunc("/v1.44/containers/json", answer(200, `[]`))
	e.start()
	expect(t, got, EngineEvent, Resync)
	if _, err := c.Containers(t.Context()); err != nil {
		t.Error(err)
	}
	messages <- message("image", "tag", "sha256:1", `"name":"web:2"`)
	expect(t, got, ImageEvent, "tag")
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

// expect takes the next event.
func expect(t *testing.T, got <-chan Event, kind EventKind, action string) Event {
	t.Helper()
	select {
	case e := <-got:
		if e.Kind != kind || e.Action != action {
			t.Fatalf("%s %s (%v), want %s %s", e.Kind, e.Action, e.Err, kind, action)
		}
		return e
	case <-t.Context().Done():
		t.Fatal("no event")
	}
	return Event{}
}

func TestEventsAreFilteredAndCoalesced(t *testing.T) {
	messages := make(chan string, 64)
	asked := make(chan string, 1)
	e := fake(t, "1.41", map[string]http.HandlerFunc{"/v1.41/events": func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Query().Get("filters")
		stream(messages)(w, r)
	}})
	got, stop := followed(t, e.client(t, Options{}))
	expect(t, got, EngineEvent, Resync)
	if filters := <-asked; !strings.Contains(filters, "health_status") || strings.Contains(filters, "exec_") {
		t.Errorf("the engine was asked for %s", filters)
	}
	burst := ""
	for range 50 {
		burst += message("container", "exec_create: sh", "1", "") + message("container", "exec_die", "1", `"exitCode":"0"`) +
			message("network", "connect", "n", "") + message("container", "health_status: healthy", "1", "")
	}
	messages <- burst + message("container", "start", "1", "")
	expect(t, got, NetworkEvent, "connect")
	if health := expect(t, got, ContainerEvent, "health_status"); health.Detail != "healthy" {
		t.Errorf("%+v", health)
	}
	expect(t, got, ContainerEvent, "start")
	_ = stop()
	if len(got) > 0 {
		t.Errorf("and %+v", <-got)
	}
}

func TestEventOf(t *testing.T) {
	for action, wanted := range map[string]bool{
		"start": true, "die": true, "health_status: unhealthy": true, "exec_create: sh -c 'start'": false, "exec_start: die": false,
		"top": false, "attach": false, "resize": false, "archive-path": false, "": false,
	} {
		if _, got := eventOf(events.Message{Type: "container", Action: events.Action(action)}); got != wanted {
			t.Errorf("%q: %v", action, got)
		}
	}
	if _, got := eventOf(events.Message{Type: "network", Action: "start"}); got {
		t.Error("an action of containers passed for a network")
	}
}

func TestCallsSurviveARestart(t *testing.T) {
	e := fake(t, "1.41", map[string]http.HandlerFunc{"/v1.41/containers/json": answer(200, `[]`)})
	c := e.client(t, Options{})
	if _, err := c.Containers(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.stop()
	_, err := c.Containers(t.Context())
	told(t, err, nil, "list containers", e.path)
	e.mux = http.NewServeMux()
	e.mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", "1.47") })
	e.mux.HandleFunc("/v1.47/containers/json", answer(200, `[{"Id":"1"}]`))
	e.start()
	rows, err := c.Containers(t.Context())
	if err != nil || len(rows) != 1 {
		t.Errorf("after the restart: %v, %v", rows, err)
	}
}
