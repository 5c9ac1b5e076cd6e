package sandbox

import "strings"

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
	if name == "" {
		return nil, nil, invalidParameter("The task has more than one container. Specify the name of one of them: %s.", strings.Join(t.containerNames(), ", "))
	}
	return nil, nil, invalidParameter("The container %q was not found in the task.", name)
}

func (t *task) containerNames() []string {
	names := make([]string, len(t.containers))
	for i, c := range t.containers {
		names[i] = *c.definition.Name
	}
	return names
}
