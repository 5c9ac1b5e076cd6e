package sandbox

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"gantry/aws/sandbox/wire"
)

// ecrBackend is the state of Amazon ECR in one account and region: what is
// pushed into its registry (see registryGate) and what its API tells of it. One
// mutex guards everything but the layers on disk and what an upload holds.
type ecrBackend struct {
	host   string // HOST:PORT of the registry
	clock  Clock
	log    *slog.Logger
	pager  pager
	login  seal // of registry tokens
	layers seal // of download URLs
	disk   *layerDisk

	mu           sync.Mutex
	sequence     uint64 // orders everything that is listed
	repositories map[string]*repository
	uploads      map[string]*upload
}

// newECR makes an empty registry at HOST:PORT, which keeps layers in a
// directory below dir until Close.
func newECR(host, dir string, clock Clock, log *slog.Logger) *ecrBackend {
	return &ecrBackend{
		host: host, clock: clock, log: log,
		pager: newPager(ecrInvalid), login: newSeal(), layers: newSeal(),
		disk:         newLayerDisk(dir),
		repositories: make(map[string]*repository),
		uploads:      make(map[string]*upload),
	}
}

// operations lists what is emulated of ECR. Uploads are the registry's own:
// docker speaks to that, not to the API's InitiateLayerUpload and its kin.
func (b *ecrBackend) operations() []wire.Operation {
	return []wire.Operation{
		wire.Op(b.CreateRepository),
		wire.Op(b.DescribeRepositories),
		wire.Op(b.DeleteRepository),
		wire.Op(b.PutImageTagMutability),
		wire.Op(b.PutImageScanningConfiguration),
		wire.Op(b.ListImages),
		wire.Op(b.DescribeImages),
		wire.Op(b.DescribeImageScanFindings),
		wire.Op(b.BatchGetImage),
		wire.Op(b.BatchDeleteImage),
		wire.Op(b.PutImage),
		wire.Op(b.BatchCheckLayerAvailability),
		wire.Op(b.GetDownloadUrlForLayer),
		wire.Op(b.GetAuthorizationToken),
		wire.Op(b.GetLifecyclePolicy),
		wire.Op(b.PutLifecyclePolicy),
		wire.Op(b.DeleteLifecyclePolicy),
		wire.Op(b.GetRepositoryPolicy),
		wire.Op(b.SetRepositoryPolicy),
		wire.Op(b.DeleteRepositoryPolicy),
		wire.Op(b.TagResource),
		wire.Op(b.UntagResource),
		wire.Op(b.ListTagsForResource),
		wire.Op(b.DescribeRegistry),
	}
}

// Close ends the uploads under way and removes every layer.
func (b *ecrBackend) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for id, u := range b.uploads {
		errs = append(errs, u.discard())
		delete(b.uploads, id)
	}
	return errors.Join(append(errs, b.disk.Close())...)
}

// next numbers what is made, so that lists have one order that paging can rely on.
func (b *ecrBackend) next() uint64 {
	b.sequence++
	return b.sequence
}

// repository is a repository and what was pushed into it.
type repository struct {
	number     uint64
	name       string
	created    time.Time
	mutability types.ImageTagMutability
	exclusions []types.ImageTagMutabilityExclusionFilter
	scanOnPush bool
	tags       repositoryTags
	lifecycle  string // policy, "" if none
	policy     string // "" if none

	images   map[string]*image // by digest
	byTag    map[string]*image
	contents http.Handler // the registry of this repository's manifests and layers
	layers   layerDir
	wanted   map[string]time.Time // when each layer was last sent or found, by digest
}

func (r *repository) place() uint64 { return r.number }

// find is the repository of a name in the registry that a request means.
func (b *ecrBackend) find(registry, name *string) (*repository, error) {
	if err := checkRepositoryName(aws.ToString(name)); err != nil {
		return nil, err
	}
	if id := aws.ToString(registry); id != "" && id != account {
		return nil, repositoryNotFound(*name, id)
	}
	r := b.repositories[*name]
	if r == nil {
		return nil, repositoryNotFound(*name, account)
	}
	return r, nil
}

// DescribeRegistry tells the registry's id. Replication is not emulated, so
// there are no rules.
func (b *ecrBackend) DescribeRegistry(context.Context, *ecr.DescribeRegistryInput) (*ecr.DescribeRegistryOutput, error) {
	return &ecr.DescribeRegistryOutput{
		RegistryId:               aws.String(account),
		ReplicationConfiguration: &types.ReplicationConfiguration{Rules: []types.ReplicationRule{}},
	}, nil
}
