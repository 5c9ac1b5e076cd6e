package ui

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/internal/diagnose"
	"gantry/ui/pane"
)

// taskRunner is what running a task once needs of AWS.
type taskRunner interface {
	networkReader
	Families(ctx context.Context) ([]string, error)
	RunTask(ctx context.Context, scope aws.Scope, n aws.NewTask) ([]aws.Task, error)
}

// taskRuns asks what to run once in a cluster, and runs it.
type taskRuns struct {
	client  taskRunner
	cluster aws.Cluster // that is selected; zero while none is
	service aws.Service // whose tasks show, if any

	asks  int
	offer pane.Load[runOffer]
	job   *pane.Job
	ran   []aws.Task // by job, once it has ended
}

// runOffer is what can be run, and where. What could not be read is left to be
// typed.
type runOffer struct {
	networkOffer
	families []string
	missing  []string
}

// The fields of the dialog.
const (
	runDefinition = iota
	runCount
	runSubnets
	runGroups
	runPublicIP
	runExec
)

// read reads what there is, for ask.
func (r *taskRuns) read(h pane.Host) tea.Cmd {
	r.asks++
	h.Say(pane.Notice{Text: "looking what can be run in " + r.cluster.Name + " …"})
	client, cluster := r.client, r.cluster.ARN
	return r.offer.Start(strconv.Itoa(r.asks), func(ctx context.Context, _ func(runOffer)) (runOffer, error) {
		var o runOffer
		var err [4]error
		atOnce(len(err), func(i int) {
			switch i {
			case 0:
				o.families, err[i] = client.Families(ctx)
			case 1:
				o.services, err[i] = neighbours(ctx, client, cluster)
			case 2:
				o.subnets, err[i] = client.Subnets(ctx)
			case 3:
				o.groups, err[i] = client.SecurityGroups(ctx)
			}
		})
		for i, what := range []string{"task definitions", "the cluster's services", "subnets", "security groups"} {
			if err[i] != nil {
				o.missing = append(o.missing, fmt.Sprintf("%s could not be listed: %s", what, causeOf(err[i])))
			}
		}
		return o, ctx.Err()
	})
}

// Update takes what there is, and the end of a run.
func (r *taskRuns) Update(h pane.Host, msg tea.Msg) (mine bool, cmd tea.Cmd) {
	if mine, next := r.offer.Update(msg); mine {
		if !r.offer.Busy() && r.offer.Err == nil {
			r.ask(h, r.offer.Value)
		}
		return true, next
	}
	return false, nil
}

// ended gives the tasks of the run that has just ended; ok is false for any
// other job.
func (r *taskRuns) ended(msg pane.Ended) (tasks []aws.Task, ok bool) {
	if r.job == nil || msg.Job != r.job {
		return nil, false
	}
	r.job = nil
	return r.ran, true
}

// ask asks what to run. What the selected service runs, and where, is offered
// first.
func (r *taskRuns) ask(h pane.Host, o runOffer) {
	values := []string{runDefinition: r.service.TaskDefinition, runCount: "1", runPublicIP: yesNo[false], runExec: execOff}
	for _, s := range slices.Concat([]aws.Service{r.service}, o.services) {
		if len(s.Subnets) > 0 {
			values[runSubnets], values[runGroups] = networkOf(s)
			values[runPublicIP] = yesNo[s.PublicIP]
			break
		}
	}
	scope, cluster := r.cluster.Scope, r.cluster
	definitions := o.families
	if d := r.service.TaskDefinition; d != "" {
		definitions = append([]string{d}, definitions...)
	}
	fields := []pane.Field{
		runDefinition: {Label: "definition", Choices: containing(definitions...)},
		runCount:      {Label: "tasks"},
		runSubnets:    {Label: "subnets", Choices: o.subnetChoices()},
		runGroups:     {Label: "security groups", Choices: o.groupChoices()},
		runPublicIP:   {Label: "public IP", Strict: true, Choices: containing(firstly(values[runPublicIP], yesNo[false], yesNo[true])...)},
		runExec:       {Label: "exec", Strict: true, Choices: containing(execOff, execOn)},
	}
	if len(definitions) == 0 {
		fields[runDefinition].Choices = nil
	}
	for i := range fields {
		fields[i].Value = values[i]
	}
	h.Ask(pane.Dialog{
		Title: "Run a task in " + cluster.Name, Fields: fields,
		Body: func(values []string) string { return runTaskText(o, values, where(scope, cluster.Name)) },
		Check: func(values []string) error {
			_, err := o.order(cluster.ARN, values)
			return err
		},
		Do: func(values []string) tea.Cmd {
			n, err := o.order(cluster.ARN, values)
			if err != nil {
				h.Say(pane.Notice{Err: err})
				return nil
			}
			r.start(h, scope, n)
			return nil
		},
	})
}

func runTaskText(o runOffer, values []string, place string) string {
	lines := []string{"It runs once, on Fargate, and is not replaced when it ends. A family alone means its newest revision."}
	if n, err := runCountOf(values[runCount]); err == nil && n > 1 {
		lines[0] = fmt.Sprintf("%d tasks run once, on Fargate, and are not replaced when they end.", n)
	}
	for _, m := range o.missing {
		lines = append(lines, "▲ "+m+". Type what you need.")
	}
	return strings.Join(append(lines, "", place), "\n")
}

func runCountOf(text string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 1 || n > aws.MostTasksPerRun {
		return 0, &diagnose.Error{
			What: fmt.Sprintf("%q is not a number of tasks", text), Do: fmt.Sprintf("type a number from 1 to %d", aws.MostTasksPerRun), Err: err,
		}
	}
	return n, nil
}

// order is the answers as what to run, or what is wrong with them.
func (o *runOffer) order(cluster string, values []string) (aws.NewTask, error) {
	const what = "run a task"
	n, err := runCountOf(values[runCount])
	if err != nil {
		return aws.NewTask{}, err
	}
	definition := strings.TrimSpace(values[runDefinition])
	if definition == "" {
		return aws.NewTask{}, &diagnose.Error{What: what, Cause: "no task definition is chosen", Do: "choose a family, or type family:revision"}
	}
	if cause, do := o.refuses(values[runSubnets], values[runGroups]); cause != "" {
		return aws.NewTask{}, &diagnose.Error{What: what, Cause: cause, Do: do}
	}
	subnets, groups := o.chosen(values[runSubnets], values[runGroups])
	return aws.NewTask{
		Cluster: cluster, Definition: definition, Count: n, Subnets: subnets, SecurityGroups: groups,
		PublicIP: values[runPublicIP] == yesNo[true], ExecEnabled: values[runExec] == execOn,
	}, nil
}

// start runs it as a job.
func (r *taskRuns) start(h pane.Host, scope aws.Scope, n aws.NewTask) {
	client, ran := r.client, &r.ran
	*ran = nil
	r.job = &pane.Job{
		Name: "run " + n.Definition,
		Run: func(ctx context.Context, _ func(done, total int64)) error {
			tasks, err := client.RunTask(ctx, scope, n)
			*ran = tasks
			return err
		},
		Outcome: func() string { return plural(len(*ran), "task") + verb(len(*ran), "start") },
	}
	h.Start(r.job)
}
