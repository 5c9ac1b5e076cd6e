package docker

import (
	"context"
	"slices"
	"strings"

	"gantry/internal/pattern"
	"gantry/internal/secret"
)

// Command is the docker command that does the same as an action here: the words
// after "docker". It is to be shown and copied, so values of environment
// variables that look secret are masked.
type Command []string

// CommandLine is a command as text for a POSIX shell, with the context or host
// that this client speaks to where that is not what docker would choose itself.
func (c *Client) CommandLine(command Command) string {
	words := append([]string{"docker"}, c.elsewhere()...)
	words = append(words, command...)
	for i, word := range words {
		words[i] = quote(word)
	}
	return strings.Join(words, " ")
}

// elsewhere are the flags that lead the docker command to the same engine.
func (c *Client) elsewhere() []string {
	_, _ = c.api(context.Background())
	switch at := c.at(); at.source {
	case sourceContextFlag:
		return []string{"--context", at.context}
	case sourceHostFlag:
		return []string{"--host", at.Host}
	}
	return nil
}

var plainWord = pattern.Late(`^[A-Za-z0-9_@%+=:,./-]+$`)

// quote makes one word of a POSIX shell's command line, whatever is in it.
func quote(word string) string {
	if plainWord().MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// StartCommand and the others below are the equals of the actions.
func StartCommand(names ...string) Command { return with("start", names) }

// StopCommand is the equal of Stop.
func StopCommand(names ...string) Command { return with("stop", names) }

// RestartCommand is the equal of Restart.
func RestartCommand(names ...string) Command { return with("restart", names) }

// PauseCommand is the equal of Pause.
func PauseCommand(names ...string) Command { return with("pause", names) }

// UnpauseCommand is the equal of Unpause.
func UnpauseCommand(names ...string) Command { return with("unpause", names) }

func with(verb string, names []string) Command { return append(Command{verb}, names...) }

// KillCommand is the equal of Kill.
func KillCommand(name, signal string) Command {
	if signal == "" {
		return Command{"kill", name}
	}
	return Command{"kill", "--signal", signal, name}
}

// RenameCommand is the equal of Rename.
func RenameCommand(name, to string) Command { return Command{"rename", name, to} }

// Command is the equal of RemoveContainer.
func (r ContainerRemoval) Command(names ...string) Command {
	words := Command{"rm"}
	if r.Force {
		words = append(words, "--force")
	}
	if r.Volumes {
		words = append(words, "--volumes")
	}
	return append(words, names...)
}

// Command is the equal of RemoveImage.
func (r ImageRemoval) Command(refs ...string) Command {
	words := Command{"rmi"}
	if r.Force {
		words = append(words, "--force")
	}
	return append(words, refs...)
}

// TagCommand is the equal of Tag.
func TagCommand(source, target string) Command { return Command{"tag", source, target} }

// HistoryCommand is the equal of History.
func HistoryCommand(ref string) Command { return Command{"history", "--no-trunc", ref} }

// InspectCommand is the equal of InspectContainer and InspectImage.
func InspectCommand(name string) Command { return Command{"inspect", name} }

// TopCommand is the equal of Top.
func TopCommand(name string) Command { return Command{"top", name} }

// ChangesCommand is the equal of Changes.
func ChangesCommand(name string) Command { return Command{"diff", name} }

// CopyOutCommand is the equal of CopyOut.
func CopyOutCommand(name, src, dst string) Command { return Command{"cp", name + ":" + src, dst} }

// ExecCommand is the equal of Exec.
func ExecCommand(name, shell string) Command {
	return Command{"exec", "--interactive", "--tty", name, shell}
}

// AttachCommand is the equal of Attach.
func AttachCommand(name string) Command { return Command{"attach", name} }

// HelperCommand is the equal of ExecHelper.
func HelperCommand(name, image string) Command {
	return Command{
		"run", "--interactive", "--tty", "--rm", "--pid", "container:" + name, "--network", "container:" + name,
		"--cap-drop", "ALL", "--cap-add", "SYS_PTRACE", "--security-opt", "no-new-privileges", "--user", "0", "--entrypoint", "sh", image,
	}
}

// RunCommand is the equal of Run.
func RunCommand(o RunOptions) Command { return append(Command{"run", "--detach"}, o.words()...) }

// RunAttachedCommand is the equal of RunAttached.
func RunAttachedCommand(o RunOptions) Command {
	o.TTY = true
	return append(Command{"run", "--interactive"}, o.words()...)
}

// words are the flags of a run, its image and its command.
func (o RunOptions) words() []string {
	var words []string
	add := func(flag, value string) { words = append(words, flag, value) }
	if o.TTY {
		words = append(words, "--tty")
	}
	if o.RemoveOnExit {
		words = append(words, "--rm")
	}
	if o.Name != "" {
		add("--name", o.Name)
	}
	if o.Platform != "" {
		add("--platform", o.Platform)
	}
	for _, p := range o.Ports {
		add("--publish", p.spec())
	}
	for _, entry := range o.Env {
		add("--env", secret.Assignment(entry))
	}
	for _, v := range o.Volumes {
		add("--volume", v)
	}
	for _, key := range sortedKeys(o.Labels) {
		add("--label", secret.Assignment(key+"="+o.Labels[key]))
	}
	command := slices.Clone(o.Command)
	if len(o.Entrypoint) > 0 {
		add("--entrypoint", o.Entrypoint[0])
		command = append(slices.Clone(o.Entrypoint[1:]), command...)
	}
	return append(append(words, o.Image), secret.Arguments(command)...)
}

// Commands are the equals of a prune. Where the engine's own prune would remove
// more than the plan, the things are named.
func (p PrunePlan) Commands() []Command {
	var list []Command
	for _, group := range p {
		ids := make([]string, 0, len(group.Items))
		for _, item := range group.Items {
			ids = append(ids, short(item.ID))
		}
		switch group.Kind {
		case PruneContainers:
			list = append(list, with("rm", ids))
		case PruneDanglingImages, PruneUnusedImages:
			list = append(list, with("rmi", ids))
		case PruneNetworks:
			list = append(list, append(Command{"network", "rm"}, ids...))
		case PruneAnonymousVolumes, PruneNamedVolumes:
			list = append(list, append(Command{"volume", "rm"}, volumeNames(group.Items)...))
		case PruneBuildCache:
			list = append(list, Command{"builder", "prune", "--all", "--force"})
		}
	}
	return list
}

// volumeNames are names in full: a volume has no short one.
func volumeNames(items []PruneItem) []string {
	names := make([]string, 0, len(items))
	for _, item := range items {
		names = append(names, item.ID)
	}
	return names
}
