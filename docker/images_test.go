package docker

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/moby/moby/api/types/image"
)

func TestImageRows(t *testing.T) {
	rows := imageRows([]image.Summary{
		{ID: "sha256:a", RepoTags: []string{"web:1", "localhost:5000/team/web:latest"}, RepoDigests: []string{"web@sha256:d"}, Size: 7, Created: 60},
		{ID: "sha256:b", RepoTags: []string{"<none>:<none>"}, RepoDigests: []string{"<none>@<none>"}},
		{ID: "sha256:c", RepoDigests: []string{"localhost:5000/api@sha256:d"}},
		{ID: "sha256:e"},
		{ID: "sha256:f", RepoTags: []string{"docker.io/library/pb:latest", "docker.io/team/pb:2"}}, // Podman's
	}, map[string]int{"sha256:a": 2})
	type row struct {
		repository, tag, reference string
		containers                 int
		dangling                   bool
	}
	var got []row
	for _, i := range rows {
		got = append(got, row{i.Repository, i.Tag, i.Reference(), i.Containers, i.Dangling()})
	}
	want := []row{
		{"web", "1", "web:1", 2, false},
		{"localhost:5000/team/web", "latest", "localhost:5000/team/web:latest", 2, false},
		{"", "", "sha256:b", 0, true},
		{"localhost:5000/api", "", "localhost:5000/api@sha256:d", 0, false},
		{"", "", "sha256:e", 0, true},
		{"pb", "latest", "pb:latest", 0, false},
		{"team/pb", "2", "team/pb:2", 0, false},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
}

// manyImages is the list of an engine with n images.
func manyImages(n int) []byte {
	var list bytes.Buffer
	list.WriteByte('[')
	for i := range n {
		if i > 0 {
			list.WriteByte(',')
		}
		fmt.Fprintf(&list, `{"Containers":-1,"Created":1700000000,"Id":"sha256:%064x","Labels":null,"ParentId":"","RepoDigests":null,`+
			`"RepoTags":["registry.example.com:5000/team/service-%d:build-%d"],"SharedSize":-1,"Size":123456789}`, i, i%500, i)
	}
	list.WriteByte(']')
	return list.Bytes()
}

func engineWithImages(t testing.TB, n int) map[string]http.HandlerFunc {
	t.Helper()
	list := manyImages(n)
	return map[string]http.HandlerFunc{
		"/v1.41/images/json": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(list) },
		"/v1.41/containers/json": answer(200, fmt.Sprintf(`[{"Id":"1","Names":["/other/alias","/web"],"ImageID":"sha256:%064x","State":"exited",`+
			`"Status":"Exited (137) 2 hours ago"}]`, 19_999)),
	}
}

func Test20000Images(t *testing.T) {
	c := fake(t, "1.41", engineWithImages(t, 20_000)).client(t, Options{})
	images, err := c.Images(t.Context(), TopImages)
	if err != nil {
		t.Fatal(err)
	}
	last := images[len(images)-1]
	if len(images) != 20_000 || last.Tag != "build-19999" || last.Containers != 1 {
		t.Errorf("%d rows, the last %+v", len(images), last)
	}
}

func Benchmark20000Images(b *testing.B) {
	c := fake(b, "1.41", engineWithImages(b, 20_000)).client(b, Options{})
	for b.Loop() {
		if _, err := c.Images(b.Context(), TopImages); err != nil {
			b.Fatal(err)
		}
	}
}
