package sandbox

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// execTarget is a container that can be entered, and what names it.
type execTarget struct {
	ClusterARN, TaskARN     string
	Cluster, TaskID         string
	Container, ContainerARN string
	RuntimeID               string // as DescribeTasks shows it
	KMSKey                  string // the cluster's for Exec sessions, empty if it has none
	Ports                   []PortBinding
	RunningContainer
}

// ssmTarget is the name that Systems Manager knows the container by.
func (t execTarget) ssmTarget() string {
	return "ecs:" + t.Cluster + "_" + t.TaskID + "_" + t.RuntimeID
}

// execTarget finds a container to enter, by the names or ARNs of its cluster
// and task; the container may be empty if the task has only one. It is called
// under the lock. Errors are ECS's own.
func (b *ecsBackend) execTarget(clusterRef, taskRef, name string) (execTarget, error) {
	t, c, err := b.findContainer(clusterRef, taskRef, name)
	if err != nil {
		return execTarget{}, err
	}
	if !c.enterable() {
		return execTarget{}, invalidParameter("The execute command failed because execute command was not enabled when the task was run or the execute command agent isn’t running. Wait and try again or run a new task with execute command enabled and try again.")
	}
	return t.execTarget(c), nil
}

// ssmTarget finds a container by its name in Systems Manager,
// ecs:CLUSTER_TASKID_RUNTIMEID, where the cluster's may have underscores too.
// It is called under the lock.
func (b *ecsBackend) ssmTarget(name string) (_ execTarget, connected bool) {
	parts := strings.Split(strings.TrimPrefix(name, "ecs:"), "_")
	last := len(parts) - 1
	if !strings.HasPrefix(name, "ecs:") || last < 2 {
		return execTarget{}, false
	}
	owner := b.clusters[strings.Join(parts[:last-1], "_")]
	if owner == nil {
		return execTarget{}, false
	}
	t := owner.byID[parts[last-1]]
	if t == nil {
		return execTarget{}, false
	}
	at := slices.IndexFunc(t.containers, func(c *container) bool { return c.runtimeID == parts[last] && c.enterable() })
	if at < 0 {
		return execTarget{}, false
	}
	return t.execTarget(t.containers[at]), true
}

func (t *task) execTarget(c *container) execTarget {
	x := execTarget{
		ClusterARN: t.cluster.arn, TaskARN: t.arn,
		Cluster: t.cluster.name, TaskID: t.id,
		Container: *c.definition.Name, ContainerARN: c.arn, RuntimeID: c.runtimeID,
		RunningContainer: clone(c.as),
	}
	if conf := t.cluster.configuration; conf != nil && conf.ExecuteCommandConfiguration != nil {
		x.KMSKey = aws.ToString(conf.ExecuteCommandConfiguration.KmsKeyId)
	}
	for _, sibling := range t.containers { // they share the task's network
		x.Ports = append(x.Ports, sibling.as.Bindings...)
	}
	return x
}
