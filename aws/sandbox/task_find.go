package sandbox

// execTarget is a container together with what names it.
type execTarget struct {
	ClusterARN, TaskARN, TaskID string
	Container, ContainerARN     string
	RuntimeID                   string     // as DescribeTasks shows it
	ExecEnabled                 bool       // the task was started with exec
	Agent                       taskStatus // of the ExecuteCommandAgent, empty if there is none
	Task                        taskStatus // the task's lastStatus
	RunningContainer
}

// runningContainer finds a container that runs, by the names or ARNs of its
// cluster and task. An empty cluster is "default"; the container may be empty
// if the task has only one. Errors are ECS's own.
func (b *ecsBackend) runningContainer(clusterRef, taskRef, name string) (execTarget, error) {
	b.lock()
	defer b.unlock()
	t, c, err := b.findContainer(clusterRef, taskRef, name)
	if err != nil {
		return execTarget{}, err
	}
	if c.status != taskRunning {
		return execTarget{}, invalidParameter("The container %q of the task is %s, not RUNNING.", *c.definition.Name, c.status)
	}
	f := execTarget{
		ClusterARN: t.cluster.arn, TaskARN: t.arn, TaskID: t.id,
		Container: *c.definition.Name, ContainerARN: c.arn, RuntimeID: c.runtimeID,
		ExecEnabled: t.exec, Task: t.last, RunningContainer: clone(c.as),
	}
	if c.agent != nil {
		f.Agent = c.agent.status
	}
	return f, nil
}

// containerLog is the newest output of a container, the oldest line first. It
// can be read as long as the task can be described.
func (b *ecsBackend) containerLog(clusterRef, taskRef, name string) ([]LogLine, error) {
	b.lock()
	defer b.unlock()
	_, c, err := b.findContainer(clusterRef, taskRef, name)
	if err != nil {
		return nil, err
	}
	return c.log.all(), nil
}

func (b *ecsBackend) findContainer(clusterRef, taskRef, name string) (*task, *container, error) {
	owner, err := b.cluster(&clusterRef)
	if err != nil {
		return nil, nil, err
	}
	t := owner.task(taskRef)
	if t == nil {
		return nil, nil, invalidParameter("The referenced task was not found.")
	}
	if name == "" && len(t.containers) == 1 {
		return t, t.containers[0], nil
	}
	if c := t.container(name); c != nil {
		return t, c, nil
	}
	return nil, nil, invalidParameter("The container %q was not found in the task.", name)
}
