package docker

import "gantry/internal/secret"

// BuildCommand is the equal of Build. It takes the builder that docker takes;
// an engine's own BuildKit needs the buildx plugin there.
func BuildCommand(o BuildOptions) Command {
	words := Command{"build"}
	add := func(flag, value string) {
		if value != "" {
			words = append(words, flag, value)
		}
	}
	for _, tag := range o.Tags {
		add("--tag", tag)
	}
	add("--file", o.Dockerfile)
	add("--platform", o.Platform)
	add("--target", o.Target)
	for _, key := range sortedKeys(o.Args) {
		add("--build-arg", secret.Assignment(key+"="+o.Args[key]))
	}
	for _, key := range sortedKeys(o.Labels) {
		add("--label", secret.Assignment(key+"="+o.Labels[key]))
	}
	if o.NoCache {
		words = append(words, "--no-cache")
	}
	return append(words, orElse(o.Dir, "."))
}
