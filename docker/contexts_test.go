package docker

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestContexts(t *testing.T) {
	noLeaks(t)
	e := fake(t, "1.41", map[string]http.HandlerFunc{"/v1.41/version": answer(200, `{"Version":"9.9\u001b[31m"}`)})
	home := settings(t, `{"currentContext":"work"}`, map[string]string{
		"work": "unix://" + e.path, "gone": "unix:///nowhere/x.sock", "broken": "what://ever",
	})
	write(t, filepath.Join(home, ".docker", "contexts", "meta", "0bad", "meta.json"), `{"Name":`)
	var config net.ListenConfig
	deaf := filepath.Join(home, ".colima", "default", "docker.sock")
	if err := os.MkdirAll(filepath.Dir(deaf), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := config.Listen(t.Context(), "unix", deaf)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	// A socket that a context names already is not listed a second time.
	named := filepath.Join(home, ".rd", "docker.sock")
	if err := os.MkdirAll(filepath.Dir(named), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(e.path, named); err != nil {
		t.Fatal(err)
	}

	c := New(Options{})
	defer c.Close()
	rows, err := c.Contexts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]Context{}
	for _, row := range rows {
		byName[row.Name] = row
	}
	if work := byName["work"]; work.State != StateLive || work.Version != "9.9 [31m" || !work.Current || work.Description != "about work" {
		t.Errorf("work: %+v", work)
	}
	if gone := byName["gone"]; gone.State != StateMissing || gone.Hint == "" || gone.Current {
		t.Errorf("gone: %+v", gone)
	}
	if bad := byName["0bad"]; bad.State != StateBroken || bad.Hint == "" {
		t.Errorf("a file that is no JSON: %+v", bad)
	}
	if broken := byName["broken"]; broken.State != StateBroken || broken.Hint == "" {
		t.Errorf("broken: %+v", broken)
	}
	if colima := byName["Colima"]; colima.State != StateSilent || colima.Host != "unix://"+deaf || colima.Source != sourceSocket {
		t.Errorf("colima: %+v", colima)
	}
	if _, ok := byName[defaultContext]; !ok {
		t.Error("the default context is not listed")
	}
	if slices.ContainsFunc(rows, func(r Context) bool { return r.Host == "unix://"+named }) {
		t.Error("one socket is listed twice")
	}
	if n := len(slices.DeleteFunc(rows, func(r Context) bool { return !r.Current })); n != 1 {
		t.Errorf("%d contexts are the current one", n)
	}
	if o := byName["work"].Options(); o.Context != "work" {
		t.Errorf("%+v", o)
	}
	if o := byName[defaultContext].Options(); o.Context != defaultContext {
		t.Errorf("%+v", o)
	}
	if o := byName["Colima"].Options(); o.Host != "unix://"+deaf {
		t.Errorf("%+v", o)
	}
}
