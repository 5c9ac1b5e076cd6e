package ui_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/aws"
	"gantry/docker"
	"gantry/ui"
	"gantry/ui/pane"
	"gantry/ui/uitest"
)

const (
	shipHost   = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
	shipDigest = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
	oldDigest  = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
)

// shipyard is an AWS and an engine in memory, as far as shipping goes. What it
// is told to do it notes; a test says how a rollout goes on.
type shipyard struct {
	mu          sync.Mutex
	service     aws.Service
	definitions map[string]aws.Definition
	stock       []aws.RepositoryImage
	repository  aws.Repository
	missing     bool // the repository does not exist
	facts       docker.ImageFacts
	platform    string // what a build makes
	tasks       []aws.Task

	rollout []func(*aws.Service) // what each look after an update finds; the last stays
	moved   bool                 // the service was updated
	fails   map[string]error     // calls that fail, by name
	waits   map[string]bool      // calls that wait until they are canceled
	calls   []string
}

func newShipyard() *shipyard {
	y := &shipyard{
		definitions: map[string]aws.Definition{}, fails: map[string]error{}, waits: map[string]bool{}, platform: "linux/amd64",
		repository: aws.Repository{Scope: scope, ARN: "arn:aws:ecr:us-east-1:000000000000:repository/shop/web", Name: "shop/web", URI: shipHost + "/shop/web", TagMutability: "MUTABLE"},
		facts:      docker.ImageFacts{ID: "sha256:00ff", Platform: "linux/amd64", Ports: []int{8080}},
	}
	y.stock = []aws.RepositoryImage{{Scope: scope, Repository: "shop/web", URI: y.repository.URI, Digest: oldDigest, Tags: []string{"1"}, Pushed: then, Platforms: []string{"linux/amd64"}}}
	y.define(7, y.repository.URI+"@"+oldDigest)
	y.service = aws.Service{
		Scope: scope, ARN: arn("service", "shop/web"), Name: "web", Cluster: "shop", ClusterARN: arn("cluster", "shop"), Status: "ACTIVE",
		Desired: 3, Running: 3, TaskDefinition: "web:7", CircuitBreaker: true, Rollback: true, MinPercent: 67, MaxPercent: 200,
		Deployments: []aws.Deployment{{ID: "ecs-svc/7", Status: "PRIMARY", TaskDefinition: "web:7", Desired: 3, Running: 3, RolloutState: "COMPLETED"}},
		Events:      []aws.Event{{ID: "e0", At: then, Message: "(service web) has reached a steady state."}},
	}
	y.rollout = []func(*aws.Service){rolling(1), rolling(2), steady}
	return y
}

// define registers revision n of web.
func (y *shipyard) define(n int, image string) aws.Definition {
	d := aws.Definition{
		Scope: scope, ARN: arn("task-definition", fmt.Sprintf("web:%d", n)), Family: "web", Revision: n, Status: "ACTIVE", CPU: "256", Memory: "512", NetworkMode: "awsvpc",
		Platform: "linux/amd64", ExecutionRole: "arn:aws:iam::000000000000:role/execution",
		Containers: []aws.DefinedContainer{{Name: "web", Image: image, Essential: true, Ports: []int{8080}}, {Name: "envoy", Image: "envoy:1", Essential: false}},
	}
	y.definitions[d.Name()] = d
	return d
}

// The states of a rollout to web:8.
func rolling(running int) func(*aws.Service) {
	return func(s *aws.Service) {
		s.TaskDefinition, s.Pending = "web:8", 3-running
		s.Deployments = []aws.Deployment{
			{ID: "ecs-svc/8", Status: "PRIMARY", TaskDefinition: "web:8", Desired: 3, Running: running, Pending: 3 - running, RolloutState: "IN_PROGRESS"},
			{ID: "ecs-svc/7", Status: "ACTIVE", TaskDefinition: "web:7", Desired: 3, Running: 3 - running, RolloutState: "COMPLETED"},
		}
		s.Events = append([]aws.Event{{ID: fmt.Sprint("e", running), At: then.Add(time.Minute), Message: fmt.Sprintf("(service web) has started 1 tasks: (task %d).", running)}}, s.Events...)
	}
}

func steady(s *aws.Service) {
	s.TaskDefinition, s.Running, s.Pending = "web:8", 3, 0
	s.Deployments = []aws.Deployment{{ID: "ecs-svc/8", Status: "PRIMARY", TaskDefinition: "web:8", Desired: 3, Running: 3, RolloutState: "COMPLETED"}}
}

func failing(n int) func(*aws.Service) {
	return func(s *aws.Service) {
		rolling(0)(s)
		s.Deployments[0].Failed = n
	}
}

func rollingBack(s *aws.Service) {
	s.TaskDefinition, s.Running = "web:7", 2
	s.Deployments = []aws.Deployment{
		{ID: "ecs-svc/7", Status: "PRIMARY", TaskDefinition: "web:7", Desired: 3, Running: 2, Pending: 1, RolloutState: "IN_PROGRESS", RolloutReason: "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/7."},
		{ID: "ecs-svc/8", Status: "ACTIVE", TaskDefinition: "web:8", RolloutState: "FAILED", RolloutReason: "ECS deployment circuit breaker: tasks failed to start."},
	}
}

func back(s *aws.Service) {
	s.TaskDefinition, s.Running, s.Pending = "web:7", 3, 0
	s.Deployments = []aws.Deployment{{ID: "ecs-svc/7", Status: "PRIMARY", TaskDefinition: "web:7", Desired: 3, Running: 3, RolloutState: "COMPLETED"}}
}

// stoppedTask is one of web:8 that failed.
func stoppedTask(n int) aws.Task {
	code := 127
	return aws.Task{
		Scope: scope, ID: fmt.Sprintf("%08d%024d", n, n), LastStatus: "STOPPED", DesiredStatus: "STOPPED", TaskDefinition: "web:8", Created: then,
		StopCode: "EssentialContainerExited", StopReason: "Essential container in task exited",
		Containers: []aws.Container{{Name: "web", ExitCode: &code}},
	}
}

// call notes a call, and fails or waits as the test wants.
func (y *shipyard) call(ctx context.Context, name, what string) error {
	y.mu.Lock()
	y.calls = append(y.calls, strings.TrimSpace(name+" "+what))
	err, wait := y.fails[name], y.waits[name]
	y.mu.Unlock()
	if wait {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

// set changes what calls find from now on.
func (y *shipyard) set(change func(*shipyard)) {
	y.mu.Lock()
	defer y.mu.Unlock()
	change(y)
}

// did are the calls that change something, in their order.
func (y *shipyard) did() string {
	y.mu.Lock()
	defer y.mu.Unlock()
	var said []string
	for _, c := range y.calls {
		if slices.ContainsFunc([]string{"Build", "CreateRepository", "Tag", "Push", "Register", "Deploy", "CreateService"}, func(p string) bool { return strings.HasPrefix(c, p) }) {
			said = append(said, c)
		}
	}
	return strings.Join(said, "\n")
}

func (y *shipyard) Identity(context.Context) (aws.Identity, error) {
	return aws.Identity{Account: scope.Account, Region: scope.Region}, nil
}

func (y *shipyard) ClusterIDs(ctx context.Context) ([]string, error) {
	return []string{arn("cluster", "shop"), arn("cluster", "batch")}, y.call(ctx, "ClusterIDs", "")
}

func (y *shipyard) ServiceIDs(ctx context.Context, cluster string) ([]string, error) {
	if cluster != arn("cluster", "shop") {
		return nil, y.call(ctx, "ServiceIDs", cluster)
	}
	return []string{arn("service", "shop/api"), arn("service", "shop/web")}, y.call(ctx, "ServiceIDs", cluster)
}

func (y *shipyard) DescribeServices(ctx context.Context, cluster string, _ []string) ([]aws.Service, error) {
	if err := y.call(ctx, "DescribeServices", cluster); err != nil {
		return nil, err
	}
	return []aws.Service{{Name: "api", Subnets: []string{"subnet-1", "subnet-2"}, SecurityGroups: []string{"sg-1"}}}, nil
}

func (y *shipyard) Service(ctx context.Context, _ aws.Service) (aws.Service, error) {
	if err := y.call(ctx, "Service", ""); err != nil {
		return aws.Service{}, err
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.moved && len(y.rollout) > 0 {
		y.service.Deployments = slices.Clone(y.service.Deployments) // who has read it keeps it
		y.rollout[0](&y.service)
		if len(y.rollout) > 1 {
			y.rollout = y.rollout[1:]
		}
	}
	return y.service, nil
}

func (y *shipyard) Tasks(ctx context.Context, _, _ string, page func([]aws.Task)) error {
	err := y.call(ctx, "Tasks", "")
	y.mu.Lock()
	defer y.mu.Unlock()
	page(slices.Clone(y.tasks))
	return err
}

func (y *shipyard) Repositories(ctx context.Context, page func([]aws.Repository)) error {
	if err := y.call(ctx, "Repositories", ""); err != nil || y.missing {
		return err
	}
	page([]aws.Repository{y.repository})
	return nil
}

func (y *shipyard) RepositoryImages(ctx context.Context, _ aws.Repository, page func([]aws.RepositoryImage)) error {
	page(slices.Clone(y.stock))
	return y.call(ctx, "RepositoryImages", "")
}

func (y *shipyard) DescribeRepositoryImages(ctx context.Context, _ aws.Repository, _ []string) ([]aws.RepositoryImage, error) {
	return y.stock[:1], y.call(ctx, "DescribeRepositoryImages", "")
}

func (y *shipyard) CreateRepository(ctx context.Context, n aws.NewRepository) (aws.Repository, error) {
	err := y.call(ctx, "CreateRepository", n.Name)
	return aws.Repository{Scope: scope, ARN: "arn:" + n.Name, Name: n.Name, URI: shipHost + "/" + n.Name}, err
}

func (y *shipyard) RegistryLogin(ctx context.Context, _ aws.Scope) (aws.RegistryLogin, error) {
	return aws.RegistryLogin{Host: shipHost, Username: "AWS", Password: "secret"}, y.call(ctx, "RegistryLogin", "")
}

func (y *shipyard) RegistryLoginAt(ctx context.Context, host string) (aws.RegistryLogin, error) {
	if host != shipHost {
		return aws.RegistryLogin{}, nil
	}
	return y.RegistryLogin(ctx, scope)
}

func (y *shipyard) ForgetRegistryLogin(aws.Scope) {
	_ = y.call(context.Background(), "ForgetRegistryLogin", "")
}

func (y *shipyard) Definition(ctx context.Context, ref string) (aws.Definition, error) {
	err := y.call(ctx, "Definition", ref)
	y.mu.Lock()
	defer y.mu.Unlock()
	if ref == "web" {
		last := 7
		for y.definitions[fmt.Sprintf("web:%d", last+1)].ARN != "" {
			last++
		}
		ref = fmt.Sprintf("web:%d", last)
	}
	return y.definitions[ref], err
}

func (y *shipyard) RegisterRevision(ctx context.Context, from aws.Definition, images map[string]string) (aws.Definition, error) {
	if err := y.call(ctx, "RegisterRevision", fmt.Sprint(from.Name(), " ", images)); err != nil {
		return aws.Definition{}, err
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.define(8, images["web"]), nil
}

func (y *shipyard) RegisterDefinition(ctx context.Context, _ aws.Scope, n aws.NewDefinition) (aws.Definition, error) {
	if err := y.call(ctx, "RegisterDefinition", fmt.Sprintf("%+v", n)); err != nil {
		return aws.Definition{}, err
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.define(8, n.Image), nil
}

func (y *shipyard) Deploy(ctx context.Context, s aws.Service, definition string) (aws.Service, error) {
	if err := y.call(ctx, "Deploy", s.Name+" "+definition); err != nil {
		return aws.Service{}, err
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	y.moved = true
	if strings.HasSuffix(definition, "web:7") {
		y.rollout = []func(*aws.Service){back}
		y.service.TaskDefinition = "web:7"
		return y.service, nil
	}
	rolling(0)(&y.service)
	return y.service, nil
}

func (y *shipyard) CreateService(ctx context.Context, _ aws.Scope, n aws.NewService) (aws.Service, error) {
	if err := y.call(ctx, "CreateService", fmt.Sprintf("%+v", n)); err != nil {
		return aws.Service{}, err
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	y.moved, y.rollout = true, []func(*aws.Service){func(s *aws.Service) {
		steady(s)
		s.Running, s.Deployments[0].Running, s.Deployments[0].Desired = s.Desired, s.Desired, s.Desired
	}}
	s := y.service
	s.Name, s.Desired, s.Running, s.Events = n.Name, n.Desired, 0, nil
	s.Deployments = []aws.Deployment{{ID: "ecs-svc/8", Status: "PRIMARY", TaskDefinition: "web:8", Desired: n.Desired, RolloutState: "IN_PROGRESS"}}
	y.service = s
	return s, nil
}

func (y *shipyard) Subnets(ctx context.Context) ([]aws.Subnet, error) {
	if err := y.call(ctx, "Subnets", ""); err != nil {
		return nil, err
	}
	return []aws.Subnet{{ID: "subnet-1", VPC: "vpc-1", AZ: "us-east-1a", CIDR: "10.0.1.0/24"}, {ID: "subnet-2", VPC: "vpc-1"}, {ID: "subnet-9", VPC: "vpc-9"}}, nil
}

func (y *shipyard) SecurityGroups(ctx context.Context) ([]aws.SecurityGroup, error) {
	if err := y.call(ctx, "SecurityGroups", ""); err != nil {
		return nil, err
	}
	return []aws.SecurityGroup{{ID: "sg-1", VPC: "vpc-1", Name: "default"}}, nil
}

func (y *shipyard) TaskRoles(ctx context.Context) ([]aws.Role, error) {
	if err := y.call(ctx, "TaskRoles", ""); err != nil {
		return nil, err
	}
	return []aws.Role{
		{ARN: "arn:aws:iam::000000000000:role/ecsTaskExecutionRole", Name: "ecsTaskExecutionRole"},
		{ARN: "arn:aws:iam::000000000000:role/web", Name: "web"},
	}, nil
}

// The engine.

func (y *shipyard) CommandLine(c docker.Command) string { return "docker " + strings.Join(c, " ") }

func (y *shipyard) Engine(context.Context) (docker.Engine, error) {
	return docker.Engine{OS: "linux", Arch: "amd64"}, nil
}

func (y *shipyard) Images(context.Context, docker.ImageScope) ([]docker.Image, error) {
	return []docker.Image{fakeImage("base:1", 1), fakeImage("web:2", 2)}, nil
}

func (y *shipyard) ImageFacts(ctx context.Context, ref string) (docker.ImageFacts, error) {
	err := y.call(ctx, "ImageFacts", ref)
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.facts, err
}

func (y *shipyard) Tag(ctx context.Context, source, target string) error {
	return y.call(ctx, "Tag", source+" "+target)
}

func (y *shipyard) Push(ctx context.Context, ref string, auth docker.RegistryAuth, progress func(docker.TransferProgress)) (string, error) {
	progress(docker.TransferProgress{Layers: []docker.LayerProgress{
		{ID: "aaaaaaaaaaaa", State: "Layer already exists", Ended: true},
		{ID: "bbbbbbbbbbbb", State: "Pushing", Done: 3_000_000, Total: 12_000_000},
	}})
	if auth.Password == "" {
		return "", errors.New("no password")
	}
	if err := y.call(ctx, "Push", ref); err != nil {
		return "", err
	}
	progress(docker.TransferProgress{Layers: []docker.LayerProgress{
		{ID: "aaaaaaaaaaaa", State: "Layer already exists", Ended: true},
		{ID: "bbbbbbbbbbbb", State: "Pushed", Done: 12_000_000, Total: 12_000_000, Ended: true},
	}})
	return shipDigest, nil
}

func (y *shipyard) Build(ctx context.Context, o docker.BuildOptions, progress func(docker.BuildProgress)) (docker.BuildResult, error) {
	progress(halfway())
	if err := y.call(ctx, "Build", o.Tags[0]+" "+o.Platform); err != nil {
		return docker.BuildResult{}, err
	}
	progress(finished())
	y.mu.Lock()
	defer y.mu.Unlock()
	y.facts.Platform = y.platform
	if o.Platform != "" {
		y.facts.Platform = o.Platform
	}
	return docker.BuildResult{ImageID: "sha256:00ff00ff00ff00ff"}, nil
}

// showShip puts a pane that ships on a screen, at a time that stands still.
func showShip(t *testing.T, y *shipyard, from *ui.ShipTest, access ui.Access, w, h int) *uitest.Screen {
	t.Helper()
	t.Setenv("TZ", "UTC")
	from.Cloud, from.Engine, from.Now = y, y, func() time.Time { return then }
	f := ui.NewFrame(access, map[int]pane.Pane{1: from})
	t.Cleanup(f.Close)
	s := uitest.Run(t, f, w, h)
	s.Wait("Berth")
	return s
}
