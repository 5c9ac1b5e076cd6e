//go:build unix

package cli_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// BenchmarkTasks is the time from RunTask for twenty tasks to the last one
// RUNNING in a container with a published port, on the real engine. The goal is
// 5 s.
func BenchmarkTasks(b *testing.B) {
	for name, containers := range map[string][]string{"of one container": {"web"}, "of two containers": {"web", "side"}} {
		b.Run(name, func(b *testing.B) {
			w := newEngineWorld(b)
			var definitions []types.ContainerDefinition
			for i, name := range containers {
				c := w.busyboxWith(name, "")
				if i == 0 {
					c.PortMappings = []types.PortMapping{{ContainerPort: sdk.Int32(8080)}}
				} else {
					c.Command = []string{"sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"}
				}
				definitions = append(definitions, c)
			}
			definition := w.family(nil, definitions...)
			for b.Loop() {
				arns := append(w.runTasks(definition, 10), w.runTasks(definition, 10)...)
				w.waitFor("twenty tasks RUNNING", func() bool { return w.count(arns, "RUNNING") == len(arns) })
				b.StopTimer()
				for _, arn := range arns {
					_, err := w.ecs.StopTask(b.Context(), &ecs.StopTaskInput{Cluster: sdk.String("live"), Task: &arn})
					w.must(err)
				}
				w.waitFor("the end of all tasks", func() bool { return w.count(arns, "STOPPED") == len(arns) })
				b.StartTimer()
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/20-tasks")
		})
	}
}

// BenchmarkClose is how long a sandbox with twenty tasks takes to end and to
// remove all of it. The goal is a few seconds.
func BenchmarkClose(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		w := newEngineWorld(b)
		definition := w.family(nil, w.busyboxWith("web", ""))
		arns := append(w.runTasks(definition, 10), w.runTasks(definition, 10)...)
		w.waitFor("twenty tasks RUNNING", func() bool { return w.count(arns, "RUNNING") == len(arns) })
		b.StartTimer()
		w.must(w.Close())
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/20-tasks")
}

// count is how many tasks have a status.
func (w *engineWorld) count(arns []string, status string) int {
	w.tb.Helper()
	out, err := w.ecs.DescribeTasks(w.tb.Context(), &ecs.DescribeTasksInput{Cluster: sdk.String("live"), Tasks: arns})
	w.must(err)
	n := 0
	for _, t := range out.Tasks {
		if *t.LastStatus == status {
			n++
		}
	}
	return n
}
