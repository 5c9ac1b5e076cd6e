package sandbox

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestStartOrder(t *testing.T) {
	on := func(names ...string) (all []Dependency) {
		for _, n := range names {
			all = append(all, Dependency{n, types.ContainerConditionStart})
		}
		return all
	}
	var got []string
	for _, c := range startOrder([]ContainerSpec{
		{Name: "web", DependsOn: on("db", "cache")}, {Name: "log"}, {Name: "cache", DependsOn: on("db")}, {Name: "db"},
	}) {
		got = append(got, c.Name)
	}
	if want := "log db cache web"; strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// supervising is a runtime that keeps order and health, or does not.
type supervising struct {
	*states
	does bool
}

func (s supervising) Supervises(TaskSpec) bool { return s.does }

func TestDependenciesAreChecked(t *testing.T) {
	on := func(name string, condition types.ContainerCondition) []types.ContainerDependency {
		return []types.ContainerDependency{{ContainerName: &name, Condition: condition}}
	}
	check := &types.HealthCheck{Command: []string{"CMD", "true"}}
	for name, test := range map[string]struct {
		change  func(a, b *types.ContainerDefinition)
		want    string // of a runtime that keeps order, "" is none
		without string // of one that does not
	}{
		"start": {func(a, _ *types.ContainerDefinition) { a.DependsOn = on("b", types.ContainerConditionStart) }, "", ""},
		"success": {func(a, b *types.ContainerDefinition) {
			a.DependsOn, b.Essential = on("b", types.ContainerConditionSuccess), aws.Bool(false)
		}, "", "does not emulate dependsOn with condition SUCCESS"},
		"healthy": {func(a, b *types.ContainerDefinition) {
			a.DependsOn, b.HealthCheck = on("b", types.ContainerConditionHealthy), check
		}, "", "does not emulate dependsOn with condition HEALTHY"},
		"unknown":    {func(a, _ *types.ContainerDefinition) { a.DependsOn = on("c", types.ContainerConditionStart) }, "no container 'c'", "no container 'c'"},
		"no check":   {func(a, _ *types.ContainerDefinition) { a.DependsOn = on("b", types.ContainerConditionHealthy) }, "needs a healthCheck", "needs a healthCheck"},
		"essential":  {func(a, _ *types.ContainerDefinition) { a.DependsOn = on("b", types.ContainerConditionComplete) }, "is essential", "is essential"},
		"itself":     {func(a, _ *types.ContainerDefinition) { a.DependsOn = on("a", types.ContainerConditionStart) }, "form a cycle", "form a cycle"},
		"condition":  {func(a, _ *types.ContainerDefinition) { a.DependsOn = on("b", "SOON") }, `no condition "SOON"`, `no condition "SOON"`},
		"no command": {func(a, _ *types.ContainerDefinition) { a.HealthCheck = &types.HealthCheck{Command: []string{"true"}} }, "must begin with CMD or CMD-SHELL", "must begin with CMD"},
		"interval": {func(a, _ *types.ContainerDefinition) {
			a.HealthCheck = &types.HealthCheck{Command: check.Command, Interval: aws.Int32(1)}
		}, "'interval' must be between 5 and 300", "'interval'"},
		"cycle": {func(a, b *types.ContainerDefinition) {
			a.DependsOn, b.DependsOn = on("b", types.ContainerConditionStart), on("a", types.ContainerConditionStart)
		}, "form a cycle", "form a cycle"},
	} {
		for does, want := range map[bool]string{true: test.want, false: test.without} {
			b := newECS(region, account, newManualClock(), supervising{newStates(), does}, nil)
			in := demoFamily{name: "a", tag: "1", cpu: "256", memory: "512"}.input(account)
			second := in.ContainerDefinitions[0]
			second.Name = aws.String("b")
			in.ContainerDefinitions = append(in.ContainerDefinitions, second)
			test.change(&in.ContainerDefinitions[0], &in.ContainerDefinitions[1])
			_, err := b.RegisterTaskDefinition(t.Context(), in)
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s, order is kept %v: %v, want %q", name, does, err, want)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
