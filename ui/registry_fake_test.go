package ui_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"gantry/aws"
	"gantry/docker"
	"gantry/internal/diagnose"
)

// registryHost is where the fake repositories are.
const registryHost = "000000000000.dkr.ecr.us-east-1.amazonaws.com"

// ecr is an ECR in memory.
type ecr struct {
	mu           sync.Mutex
	repositories []aws.Repository
	stored       map[string][]aws.RepositoryImage // by repository
	down         error                            // why it does not answer
	pending      chan struct{}                    // while it is open, lists wait
	calls        int                              // that read
	counts       int                              // repositories that were counted
	described    int                              // times that images were looked at
	logins       int
	created      []aws.NewRepository
	deleted      []string
}

func digestOf(n int) string { return fmt.Sprintf("sha256:%064x", n) }

func repositoryNamed(name string) aws.Repository {
	return aws.Repository{
		Scope: scope, ARN: "arn:aws:ecr:us-east-1:000000000000:repository/" + name, Name: name, URI: registryHost + "/" + name,
		Created: then, TagMutability: "MUTABLE", ScanOnPush: true, Encryption: "AES256",
	}
}

func (e *ecr) addRepository(name string, images ...aws.RepositoryImage) {
	e.repositories = append(e.repositories, repositoryNamed(name))
	if e.stored == nil {
		e.stored = map[string][]aws.RepositoryImage{}
	}
	e.stored[name] = images
}

func storedImage(repository string, n int, tags ...string) aws.RepositoryImage {
	return aws.RepositoryImage{
		Scope: scope, Repository: repository, URI: registryHost + "/" + repository, Digest: digestOf(n), Tags: tags,
		Pushed: then.Add(time.Duration(n) * time.Hour), Size: int64(n) * 12_345_678, MediaType: "application/vnd.docker.distribution.manifest.v2+json",
		Platforms: []string{"linux/amd64"},
	}
}

// demoRegistry is what most tests look at.
func (e *ecr) demo() {
	scanned := storedImage("web", 3, "7", "latest")
	scanned.ScanStatus, scanned.Findings = "COMPLETE", map[string]int{"CRITICAL": 2, "HIGH": 5, "LOW": 1}
	clean := storedImage("web", 2, "6")
	clean.ScanStatus, clean.LastPulled, clean.Platforms = "COMPLETE", then.Add(50*time.Hour), []string{"linux/amd64", "linux/arm64"}
	e.addRepository("shop/api", storedImage("shop/api", 9, "1"))
	e.addRepository("web", scanned, clean, storedImage("web", 1))
	e.addRepository("empty")
	e.repositories[0].TagMutability, e.repositories[0].ScanOnPush = "IMMUTABLE", false
}

func (e *ecr) read(ctx context.Context) error {
	e.mu.Lock()
	e.calls++
	down, pending := e.down, e.pending
	e.mu.Unlock()
	if pending != nil {
		select {
		case <-pending:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return down
}

func (e *ecr) callCount() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.calls + e.counts
}

func (e *ecr) describedImages() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.described
}

func (e *ecr) Repositories(ctx context.Context, page func([]aws.Repository)) error {
	if err := e.read(ctx); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	page(slices.Clone(e.repositories))
	return nil
}

func (e *ecr) RepositoryIDs(ctx context.Context) ([]string, error) {
	if err := e.read(ctx); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return ids(e.repositories, func(r aws.Repository) string { return r.ARN }), nil
}

func (e *ecr) DescribeRepositories(ctx context.Context, arns []string) ([]aws.Repository, error) {
	if err := e.read(ctx); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	rows := pick(e.repositories, arns, func(r aws.Repository) string { return r.ARN })
	for i := range rows {
		e.counts++
		rows[i].Counted = true
		for _, image := range e.stored[rows[i].Name] {
			rows[i].Images++
			rows[i].Size += image.Size
		}
	}
	return rows, nil
}

func (e *ecr) CreateRepository(_ context.Context, n aws.NewRepository) (aws.Repository, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.repositories {
		if r.Name == n.Name {
			return aws.Repository{}, &diagnose.Error{What: "create repository " + n.Name, Cause: "there is one of that name", Do: "choose another name", Err: aws.ErrRefused}
		}
	}
	r := repositoryNamed(n.Name)
	r.ScanOnPush = n.ScanOnPush
	if n.Immutable {
		r.TagMutability = "IMMUTABLE"
	}
	e.created = append(e.created, n)
	e.repositories = append(e.repositories, r)
	return r, nil
}

func (e *ecr) DeleteRepository(_ context.Context, r aws.Repository, how aws.RepositoryRemoval) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.stored[r.Name]) > 0 && !how.Force {
		return errors.New("RepositoryNotEmptyException")
	}
	e.deleted = append(e.deleted, r.Name)
	e.repositories = slices.DeleteFunc(e.repositories, func(o aws.Repository) bool { return o.ARN == r.ARN })
	return nil
}

func (e *ecr) RepositoryImages(ctx context.Context, r aws.Repository, page func([]aws.RepositoryImage)) error {
	if err := e.read(ctx); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	rows := slices.Clone(e.stored[r.Name])
	for i := range rows {
		rows[i].Platforms = nil
	}
	page(rows)
	return nil
}

func (e *ecr) DescribeRepositoryImages(ctx context.Context, r aws.Repository, digests []string) ([]aws.RepositoryImage, error) {
	if err := e.read(ctx); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.described++
	return pick(e.stored[r.Name], digests, func(i aws.RepositoryImage) string { return i.Digest }), nil
}

func (e *ecr) DeleteRepositoryImages(_ context.Context, images []aws.RepositoryImage) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, i := range images {
		e.deleted = append(e.deleted, i.Repository+"@"+i.Digest)
		e.stored[i.Repository] = slices.DeleteFunc(e.stored[i.Repository], func(o aws.RepositoryImage) bool { return o.Digest == i.Digest })
	}
	return nil
}

func (e *ecr) gone() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.deleted, " ")
}

func (e *ecr) RepositoryDocument(_ context.Context, r aws.Repository) (any, error) {
	return map[string]any{"repositoryName": r.Name}, nil
}

func (e *ecr) RepositoryImageDocument(_ context.Context, i aws.RepositoryImage) (any, error) {
	return map[string]any{"imageDigest": i.Digest}, nil
}

func (e *ecr) LifecyclePolicy(_ context.Context, r aws.Repository) (string, error) {
	if r.Name != "web" {
		return "", nil
	}
	return `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":10},"action":{"type":"expire"}}]}`, nil
}

func (e *ecr) RepositoryPolicy(context.Context, aws.Repository) (string, error) { return "", nil }

func (e *ecr) RegistryLogin(context.Context, aws.Scope) (aws.RegistryLogin, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.logins == 0 {
		e.logins = 1
	}
	return aws.RegistryLogin{Host: registryHost, Username: "AWS", Password: fmt.Sprintf("token-%d", e.logins)}, nil
}

func (e *ecr) RegistryLoginAt(ctx context.Context, host string) (aws.RegistryLogin, error) {
	if host != registryHost {
		return aws.RegistryLogin{}, nil
	}
	return e.RegistryLogin(ctx, scope)
}

func (e *ecr) ForgetRegistryLogin(aws.Scope) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.logins++
}

// store adds an image, as a push does.
func (e *ecr) store(i aws.RepositoryImage) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stored[i.Repository] = append(e.stored[i.Repository], i)
}

// harbour is an engine that can push and pull; what it does a test says.
type harbour struct {
	*fakeEngine
	images []docker.Image
	carry  func(ctx context.Context, ref string, auth docker.RegistryAuth, progress func(docker.TransferProgress)) (string, error)

	tagged, carried []string
}

func newHarbour() *harbour {
	return &harbour{fakeEngine: newFakeEngine(), images: []docker.Image{fakeImage("base:1", 1), fakeImage("web:8", 2)}}
}

func (h *harbour) Images(context.Context, docker.ImageScope) ([]docker.Image, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.images), nil
}

func (h *harbour) ImageSizes(context.Context) (map[string]docker.ImageSize, error) { return nil, nil }

func (h *harbour) Tag(_ context.Context, source, target string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tagged = append(h.tagged, source+" → "+target)
	return nil
}

func (h *harbour) Push(ctx context.Context, ref string, auth docker.RegistryAuth, progress func(docker.TransferProgress)) (string, error) {
	h.mu.Lock()
	h.carried = append(h.carried, "push "+ref+" as "+auth.Username+" "+auth.Password)
	carry := h.carry
	h.mu.Unlock()
	return carry(ctx, ref, auth, progress)
}

func (h *harbour) Pull(ctx context.Context, ref, platform string, auth docker.RegistryAuth, progress func(docker.TransferProgress)) (string, error) {
	h.mu.Lock()
	h.carried = append(h.carried, strings.TrimSpace("pull "+ref+" "+platform))
	carry := h.carry
	h.mu.Unlock()
	return carry(ctx, ref, auth, progress)
}

// did is what was tagged and carried, in order of each.
func (h *harbour) did() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(append(slices.Clone(h.tagged), h.carried...), "\n")
}

// running makes the tasks of a service run an image.
func (c *cloud) running(service string, n int) {
	for _, rows := range c.tasks {
		for i := range rows {
			if rows[i].Service == service {
				rows[i].Containers[0].Image, rows[i].Containers[0].Digest = registryHost+"/web:7", digestOf(n)
			}
		}
	}
}
