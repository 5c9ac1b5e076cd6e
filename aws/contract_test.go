package aws_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"gantry/aws"
	"gantry/internal/diagnose"
	"gantry/internal/secret"
)

func arns[T any](rows []T, arn func(T) string) []string {
	all := make([]string, len(rows))
	for i, r := range rows {
		all[i] = arn(r)
	}
	return all
}

func serviceARN(s aws.Service) string { return s.ARN }
func taskARN(t aws.Task) string       { return t.ARN }

func TestIdentityOfTheSandbox(t *testing.T) {
	w := newWorld(t)
	id, err := w.client(nil).Identity(t.Context())
	w.must(err)
	if id.Account != "000000000000" || id.Region != "us-east-1" || id.ARN == "" {
		t.Errorf("got %+v", id)
	}
}

func TestServicesReadsEveryPageInTheOrderOfTheList(t *testing.T) {
	w := newWorld(t)
	w.cluster("shop")
	w.services("shop", 130, 0)
	c := w.client(nil)
	ids, err := c.ServiceIDs(t.Context(), "shop")
	w.must(err)
	w.server.Faults().LatencyOf("DescribeServices", 5*time.Millisecond)
	w.server.Faults().ResetCalls()

	var pages []int
	var rows []aws.Service
	w.must(c.Services(t.Context(), "shop", func(page []aws.Service) {
		pages = append(pages, len(page))
		rows = append(rows, page...)
	}))
	if !slices.Equal(arns(rows, serviceARN), ids) || len(ids) != 130 {
		t.Errorf("%d rows are not in the order of the %d listed", len(rows), len(ids))
	}
	if !slices.Equal(pages, []int{100, 30}) || w.calls("ListServices") != 2 || w.calls("DescribeServices") != 13 {
		t.Errorf("pages %v, %d lists, %d describes", pages, w.calls("ListServices"), w.calls("DescribeServices"))
	}
	r := rows[7]
	if r.Cluster != "shop" || r.TaskDefinition != "app:1" || r.Status != "ACTIVE" || !r.PublicIP || r.Account != "000000000000" ||
		r.Region != "us-east-1" || r.LaunchType != "FARGATE" || r.Created.IsZero() || !slices.Equal(r.Subnets, []string{"subnet-1"}) {
		t.Errorf("got %+v", r)
	}

	again, err := c.DescribeServices(t.Context(), "shop", ids[20:60])
	w.must(err)
	if !slices.Equal(arns(again, serviceARN), ids[20:60]) {
		t.Error("rows of a refresh are not in the order asked for")
	}
}

func TestTasksReadsRunningAndStoppedToTheLastPage(t *testing.T) {
	w := newWorld(t)
	w.cluster("shop")
	w.services("shop", 1, 310)
	stopped := w.run("shop", 4)
	w.running("shop", 314)
	c := w.client(nil)
	ended, err := c.DescribeTasks(t.Context(), "shop", stopped)
	w.must(err)
	for _, task := range ended {
		w.must(c.StopTask(t.Context(), task, "by the test"))
	}
	w.until("the four are stopped", func() bool {
		ended, err = c.DescribeTasks(t.Context(), "shop", stopped)
		w.must(err)
		return !slices.ContainsFunc(ended, func(task aws.Task) bool { return !task.IsStopped() })
	})
	w.server.Faults().ResetCalls()

	var rows []aws.Task
	w.must(c.Tasks(t.Context(), "shop", "", func(page []aws.Task) { rows = append(rows, page...) }))
	ids, err := c.TaskIDs(t.Context(), "shop", "")
	w.must(err)
	if len(rows) != 314 || !slices.Equal(arns(rows, taskARN), ids) {
		t.Errorf("%d rows are not the %d listed", len(rows), len(ids))
	}
	if w.calls("DescribeTasks") != 5 {
		t.Errorf("%d describes, want 5", w.calls("DescribeTasks"))
	}
	last := rows[313]
	if !last.IsStopped() || last.StopCode != "UserInitiated" || !strings.Contains(last.Reason(), "by the test") || last.Stopped.IsZero() || last.Service != "" {
		t.Errorf("got %+v", last)
	}
	if first := rows[0]; first.LastStatus != "RUNNING" || first.Service != "svc-0000" || len(first.Containers) != 2 || first.Moving() {
		t.Errorf("got %+v", first)
	}

	var own []aws.Task
	w.must(c.Tasks(t.Context(), "shop", "svc-0000", func(page []aws.Task) { own = append(own, page...) }))
	if len(own) != 310 {
		t.Errorf("%d tasks of the service, want 310", len(own))
	}
}

func TestClustersAndAnEmptyAccount(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil)
	w.must(c.Clusters(t.Context(), func([]aws.Cluster) { t.Error("a page of an empty account") }))
	w.cluster("shop")
	w.cluster("batch")
	var rows []aws.Cluster
	w.must(c.Clusters(t.Context(), func(page []aws.Cluster) { rows = append(rows, page...) }))
	if len(rows) != 2 || rows[0].Status != "ACTIVE" || rows[0].Region != "us-east-1" {
		t.Errorf("got %+v", rows)
	}
}

func TestWhatVanishedBetweenListAndDescribeIsARowThatSaysSo(t *testing.T) {
	w := newWorld(t)
	w.cluster("shop")
	w.services("shop", 3, 0)
	c := w.client(nil)
	ids, err := c.ServiceIDs(t.Context(), "shop")
	w.must(err)
	gone := strings.Replace(ids[1], "svc-", "old-", 1)
	rows, err := c.DescribeServices(t.Context(), "shop", []string{ids[0], gone, ids[2]})
	w.must(err)
	if len(rows) != 3 || rows[0].Failure != "" || rows[2].Failure != "" ||
		rows[1].Failure != "MISSING" || rows[1].ARN != gone || rows[1].Cluster != "shop" || rows[1].Rollout() != aws.RolloutUnknown {
		t.Errorf("got %+v", rows)
	}
	tasks, err := c.DescribeTasks(t.Context(), "shop", []string{strings.Replace(gone, ":service/", ":task/", 1)})
	w.must(err)
	if len(tasks) != 1 || tasks[0].Failure != "MISSING" {
		t.Errorf("got %+v", tasks)
	}
}

func TestADeniedOperationAffectsItsRowsOnly(t *testing.T) {
	w := newWorld(t)
	w.cluster("shop")
	w.services("shop", 15, 0)
	w.server.Faults().Deny("DescribeServices")
	c := w.client(nil)
	var rows []aws.Service
	err := c.Services(t.Context(), "shop", func(page []aws.Service) { rows = append(rows, page...) })
	var d *diagnose.Error
	if !errors.Is(err, aws.ErrDenied) || !errors.As(err, &d) || !strings.Contains(d.Do, "ecs:DescribeServices") {
		t.Errorf("got %v", err)
	}
	if len(rows) != 15 || !strings.HasPrefix(rows[3].Name, "svc-") || !strings.Contains(rows[3].Failure, "no permission for ecs:DescribeServices") {
		t.Errorf("got %d rows, %+v", len(rows), rows)
	}
	w.must(c.Clusters(t.Context(), func([]aws.Cluster) {}))
	w.server.Faults().Allow("DescribeServices")
	w.must(c.Services(t.Context(), "shop", func([]aws.Service) {}))
}

func TestThrottledCallsAreRetried(t *testing.T) {
	w := newWorld(t)
	w.cluster("shop")
	w.services("shop", 60, 0)
	w.server.Faults().ThrottleEvery(3)
	n := 0
	c := w.client(func(o *aws.Options) { o.Timeout = time.Second })
	w.must(c.Services(t.Context(), "shop", func(page []aws.Service) {
		for _, r := range page {
			if r.Failure == "" {
				n++
			}
		}
	}))
	if n != 60 {
		t.Errorf("%d rows described, want 60", n)
	}
}

func TestAnUnknownClusterIsNamed(t *testing.T) {
	w := newWorld(t)
	err := w.client(nil).Services(t.Context(), "shpo", nil)
	if !errors.Is(err, aws.ErrNotFound) || !strings.Contains(err.Error(), "list services of shpo") {
		t.Errorf("got %v", err)
	}
}

func TestFaultsOfTheSandboxAreExplained(t *testing.T) {
	w := newWorld(t)
	c := w.client(func(o *aws.Options) { o.Timeout = 100 * time.Millisecond })
	w.server.Faults().ExpireToken(true)
	if err := c.Clusters(t.Context(), nil); !errors.Is(err, aws.ErrCredentials) {
		t.Errorf("expired: %v", err)
	}
	w.server.Faults().Clear()
	w.server.Faults().Silent(true)
	if err := c.Clusters(t.Context(), nil); !errors.Is(err, aws.ErrUnreachable) || !strings.Contains(err.Error(), "did not answer") {
		t.Errorf("silent: %v", err)
	}
	w.server.Faults().Clear()
	w.must(c.Clusters(t.Context(), nil))
	wrong := w.client(func(o *aws.Options) { o.SecretAccessKey = "wrong" })
	if err := wrong.Clusters(t.Context(), nil); !errors.Is(err, aws.ErrCredentials) {
		t.Errorf("wrong secret: %v", err)
	}
	stale := w.client(func(o *aws.Options) { o.AccessKeyID = "AKIASTALE" })
	if err := stale.Clusters(t.Context(), nil); !errors.Is(err, aws.ErrCredentials) {
		t.Errorf("unknown key: %v", err)
	}
}

func TestScale(t *testing.T) {
	w := newWorld(t)
	w.cluster("shop")
	w.services("shop", 1, 1)
	c := w.client(nil)
	row := func() aws.Service {
		rows, err := c.DescribeServices(t.Context(), "shop", []string{"svc-0000"})
		w.must(err)
		return rows[0]
	}
	service := row()
	for range 2 { // the second time changes nothing
		w.must(c.Scale(t.Context(), service, 3))
	}
	w.running("shop", 3)
	if r := row(); r.Desired != 3 || r.Running != 3 {
		t.Errorf("got %+v", r)
	}
	w.must(c.Scale(t.Context(), service, 0))
	w.running("shop", 0)

	service.ARN += "-gone"
	if err := c.Scale(t.Context(), service, 1); !errors.Is(err, aws.ErrNotFound) {
		t.Errorf("a deleted service: %v", err)
	}
}

func TestDocuments(t *testing.T) {
	w := newWorld(t)
	w.cluster("shop")
	w.services("shop", 1, 1)
	w.running("shop", 1)
	c := w.client(nil)
	clusters, err := c.DescribeClusters(t.Context(), []string{"shop"})
	w.must(err)
	services, err := c.DescribeServices(t.Context(), "shop", []string{"svc-0000"})
	w.must(err)
	var tasks []aws.Task
	w.must(c.Tasks(t.Context(), "shop", "", func(page []aws.Task) { tasks = append(tasks, page...) }))

	for name, tt := range map[string]struct {
		get  func() (any, error)
		want []string
	}{
		"cluster":    {func() (any, error) { return c.ClusterDocument(t.Context(), clusters[0]) }, []string{`"clusterName":"shop"`, `"runningTasksCount":1`}},
		"service":    {func() (any, error) { return c.ServiceDocument(t.Context(), services[0]) }, []string{`"pendingCount":0`, `"family":"app"`, `"value":"8080"`, secret.Masked}},
		"task":       {func() (any, error) { return c.TaskDocument(t.Context(), tasks[0]) }, []string{`"lastStatus":"RUNNING"`, `"family":"app"`, secret.Masked}},
		"definition": {func() (any, error) { return c.DefinitionDocument(t.Context(), "app:1") }, []string{`"revision":1`, secret.Masked}},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := tt.get()
			w.must(err)
			text, err := json.Marshal(doc)
			w.must(err)
			if strings.Contains(string(text), "hunter2") {
				t.Errorf("the secret shows: %s", text)
			}
			for _, want := range tt.want {
				if !strings.Contains(string(text), want) {
					t.Errorf("no %s in %s", want, text)
				}
			}
		})
	}

	w.server.Faults().Deny("DescribeTaskDefinition")
	doc, err := c.ServiceDocument(t.Context(), services[0])
	w.must(err)
	if part, _ := doc.(map[string]any)["taskDefinition"].(string); !strings.HasPrefix(part, "not read: no permission for ecs:DescribeTaskDefinition") {
		t.Errorf("got %q", part)
	}
	_, err = w.raw.DeleteService(t.Context(), &ecs.DeleteServiceInput{Cluster: sdk.String("shop"), Service: sdk.String("svc-0000"), Force: sdk.Bool(true)})
	w.must(err)
}
