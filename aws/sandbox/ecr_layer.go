package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

const (
	maxLayerDigests = 100
	// downloadLife is how long a download URL works.
	downloadLife = 15 * time.Minute
	downloadPath = "/layers/"
)

// BatchCheckLayerAvailability tells which layers a repository has.
func (b *ecrBackend) BatchCheckLayerAvailability(_ context.Context, in *ecr.BatchCheckLayerAvailabilityInput) (*ecr.BatchCheckLayerAvailabilityOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.find(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if n := len(in.LayerDigests); n < 1 || n > maxLayerDigests {
		return nil, ecrConstraint("layerDigests", fmt.Sprintf("Member must have length between 1 and %d", maxLayerDigests))
	}
	out := &ecr.BatchCheckLayerAvailabilityOutput{Layers: []types.Layer{}, Failures: []types.LayerFailure{}}
	for _, digest := range in.LayerDigests {
		if !imageDigest().MatchString(digest) {
			out.Failures = append(out.Failures, types.LayerFailure{
				LayerDigest: aws.String(digest), FailureCode: types.LayerFailureCodeInvalidLayerDigest,
				FailureReason: aws.String("Invalid layer digest"),
			})
			continue
		}
		l := types.Layer{LayerDigest: aws.String(digest), LayerAvailability: types.LayerAvailabilityUnavailable}
		if size, there := r.layers.size(digest); there {
			l.LayerAvailability, l.LayerSize = types.LayerAvailabilityAvailable, aws.Int64(size)
		}
		out.Layers = append(out.Layers, l)
	}
	return out, nil
}

// GetDownloadUrlForLayer gives a URL that anybody can fetch the layer from, for
// a while. ECR's leads to S3.
func (b *ecrBackend) GetDownloadUrlForLayer(_ context.Context, in *ecr.GetDownloadUrlForLayerInput) (*ecr.GetDownloadUrlForLayerOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.find(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	digest := aws.ToString(in.LayerDigest)
	if !imageDigest().MatchString(digest) {
		return nil, ecrConstraint("layerDigest", "must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'")
	}
	if !r.layers.has(digest) {
		return nil, &types.LayerInaccessibleException{Message: aws.String(
			fmt.Sprintf("The layer with digest '%s' does not exist in %s", digest, r.within()))}
	}
	where := strconv.FormatUint(r.number, 10) + "/" + digest
	token := b.layers.close(where, uint64(b.clock.Now().Add(downloadLife).Unix())) //nolint:gosec // a time after 1970
	return &ecr.GetDownloadUrlForLayerOutput{
		LayerDigest: aws.String(digest),
		DownloadUrl: aws.String("http://" + b.host + downloadPath + where + "?token=" + url.QueryEscape(token)),
	}, nil
}

// download serves what GetDownloadUrlForLayer pointed at.
func (b *ecrBackend) download(w http.ResponseWriter, r *http.Request) {
	number, digest := r.PathValue("repository"), r.PathValue("digest")
	ends, ours := b.layers.open(number+"/"+digest, r.URL.Query().Get("token"))
	switch {
	case !ours:
		http.Error(w, "Access Denied", http.StatusForbidden)
		return
	case b.clock.Now().Unix() >= int64(ends): //nolint:gosec // our own number
		http.Error(w, "Request has expired", http.StatusForbidden)
		return
	}
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	f, err := b.disk.of(n).open(digest)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, f)
}
