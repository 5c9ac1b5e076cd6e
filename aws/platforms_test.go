package aws

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// An image of which something is odd is a row like others, without a platform,
// and is asked again only where that may help.
func TestPlatformsOfOddImages(t *testing.T) {
	const config = `{"config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"sha256:c%d"}}`
	manifests := map[string]string{
		"image":          fmt.Sprintf(config, 1),
		"rubbish":        "<html>",
		"chart":          `{"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:c1"}}`,
		"attestations":   `{"manifests":[{"platform":{"os":"unknown","architecture":"unknown"}}]}`,
		"index, doubled": `{"manifests":[{"platform":{"os":"linux","architecture":"amd64"}},{"platform":{"os":"linux","architecture":"amd64"}}]}`,
		"escape":         `{"manifests":[{"platform":{"os":"li\u001b[31mnux","architecture":"amd64"}}]}`,
		"no config":      fmt.Sprintf(config, 2),
		"large config":   fmt.Sprintf(config, 3),
		"odd config":     fmt.Sprintf(config, 4),
		"refused config": fmt.Sprintf(config, 5),
	}
	want := map[string][]string{
		"image": {"linux/arm64/v8"}, "index, doubled": {"linux/amd64"}, "escape": {"li [31mnux/amd64"},
	}
	var server string
	var fetched, described atomic.Int64
	c := answering(t, Options{Timeout: 5 * time.Second}, func(w http.ResponseWriter, r *http.Request) {
		switch _, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); operation {
		case "":
			fetched.Add(1)
			if r.Header.Get("Authorization") != "" {
				t.Error("the blob's address was sent a signature")
			}
			blob(w, r)
		case "DescribeImages":
			described.Add(1)
			var in struct{ ImageIds []map[string]string }
			_ = json.NewDecoder(r.Body).Decode(&in)
			_ = json.NewEncoder(w).Encode(map[string]any{"imageDetails": in.ImageIds})
		case "BatchGetImage":
			var in struct{ ImageIds []map[string]string }
			_ = json.NewDecoder(r.Body).Decode(&in)
			var images []any
			for _, id := range in.ImageIds {
				images = append(images, map[string]any{"imageId": id, "imageManifest": manifests[id["imageDigest"]]})
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"images": images})
		case "GetDownloadUrlForLayer":
			var in struct{ LayerDigest string }
			_ = json.NewDecoder(r.Body).Decode(&in)
			if in.LayerDigest == "sha256:c2" {
				failing(http.StatusBadRequest, "LayersNotFoundException", "gone")(w, r)
				return
			}
			fmt.Fprintf(w, `{"downloadUrl":%q}`, server+"/"+in.LayerDigest)
		}
	})
	server = c.opts.Endpoint
	digests := make([]string, 0, len(manifests))
	for digest := range manifests {
		digests = append(digests, digest)
	}
	web := Repository{Name: "web"}
	for range 2 {
		rows, err := c.DescribeRepositoryImages(t.Context(), web, digests)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			if row.Digest != digests[i] || row.Failure != "" || len(row.Platforms)+len(want[row.Digest]) > 0 && !reflect.DeepEqual(row.Platforms, want[row.Digest]) {
				t.Errorf("%s: %+v", digests[i], row)
			}
		}
	}
	// Good, large, odd and refused; then what may go better: large and refused.
	if n := fetched.Load(); n != 6 {
		t.Errorf("%d blobs were fetched", n)
	}
	if n := described.Load(); n != 2 {
		t.Errorf("%d describes", n)
	}
}

func blob(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/sha256:c1":
		fmt.Fprint(w, `{"os":"linux","architecture":"arm64","variant":"v8","rootfs":{}}`)
	case "/sha256:c3":
		_, _ = io.Copy(w, io.LimitReader(zeros{}, maxConfig+10))
	case "/sha256:c4":
		fmt.Fprint(w, `[7]`)
	default:
		w.WriteHeader(http.StatusForbidden)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// What may not be read of a repository leaves what may.
func TestRepositoryWithoutPermissionToCount(t *testing.T) {
	c := answering(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DescribeRepositories") {
			fmt.Fprint(w, `{"repositories":[{"repositoryArn":"arn:aws:ecr:eu-west-1:1:repository/a/web","repositoryName":"a/web","repositoryUri":"x/a/web"}]}`)
			return
		}
		failing(http.StatusBadRequest, "AccessDeniedException", "no")(w, r)
	})
	rows, err := c.DescribeRepositories(t.Context(), []string{"arn:aws:ecr:eu-west-1:1:repository/a/web"})
	if err != nil || len(rows) != 1 || rows[0].Counted || rows[0].Failure != "" || rows[0].URI != "x/a/web" {
		t.Errorf("%+v, %v", rows, err)
	}
	rows, err = c.DescribeRepositories(t.Context(), []string{"arn:aws:ecr:eu-west-1:1:repository/b"})
	if err != nil || len(rows) != 1 || rows[0].Failure != "MISSING" {
		t.Errorf("%+v, %v", rows, err)
	}
	_, err = c.DescribeRepositoryImages(t.Context(), Repository{Name: "web"}, []string{"sha256:1"})
	_ = explained(t, err, ErrDenied)
}

// A list whose server answers the same page for ever ends.
func TestRepositoriesThatNeverEnd(t *testing.T) {
	c := answering(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"repositories":[],"nextToken":"again"}`)
	})
	_ = explained(t, c.Repositories(t.Context(), func([]Repository) {}), ErrUnreachable)
}

// Images come a thousand to a page; a count adds up every page.
func TestImagesByThousands(t *testing.T) {
	const all = 2500
	c := answering(t, Options{Timeout: 5 * time.Second}, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DescribeRepositories") {
			fmt.Fprint(w, `{"repositories":[{"repositoryArn":"arn:aws:ecr:eu-west-1:1:repository/web","repositoryName":"web"}]}`)
			return
		}
		var in struct {
			MaxResults int
			NextToken  string
			RegistryID string `json:"registryId"`
		}
		_ = json.NewDecoder(r.Body).Decode(&in)
		if in.RegistryID != "1" {
			t.Errorf("asked in registry %q", in.RegistryID)
		}
		start, _ := strconv.Atoi(in.NextToken)
		end := min(start+in.MaxResults, all)
		page := map[string]any{}
		var images []any
		for i := start; i < end; i++ {
			images = append(images, map[string]any{
				"imageDigest": fmt.Sprintf("sha256:%04d", i), "imageSizeInBytes": 10,
				"imageScanStatus":          map[string]any{"status": "COMPLETE"},
				"imageScanFindingsSummary": map[string]any{"findingSeverityCounts": map[string]int{"HIGH": 2}},
			})
		}
		if end < all {
			page["nextToken"] = strconv.Itoa(end)
		}
		page["imageDetails"] = images
		_ = json.NewEncoder(w).Encode(page)
	})
	rows, err := c.DescribeRepositories(t.Context(), []string{"arn:aws:ecr:eu-west-1:1:repository/web"})
	if err != nil || len(rows) != 1 || rows[0].Images != all || rows[0].Size != 10*all {
		t.Fatalf("%+v, %v", rows, err)
	}
	var pages []int
	var last RepositoryImage
	if err := c.RepositoryImages(t.Context(), rows[0], func(page []RepositoryImage) {
		pages = append(pages, len(page))
		last = page[len(page)-1]
	}); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(pages, []int{1000, 1000, 500}) || last.Digest != "sha256:2499" || last.ScanStatus != "COMPLETE" || last.Findings["HIGH"] != 2 {
		t.Errorf("pages %v, the last image %+v", pages, last)
	}
}
