package ui

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"gantry/aws"
)

// warn says what the plan should be thought over for.
func (p *shipPlan) warn() {
	say := func(what, do string) { p.warnings = append(p.warnings, shipWarning{what, do}) }
	o, s := &p.order, &p.order.service
	if !samePlatform(p.facts.Platform, p.platform()) {
		p.platformSaid = true
		do := "build it with platform " + p.platform()
		if o.build != nil {
			do = "P builds it for " + p.platform()
		}
		say(fmt.Sprintf("the image is for %s, and %s runs on %s: its tasks would not start", p.facts.Platform, o.target(), p.platform()), do)
	}
	if p.tagged != "" && p.tagged != p.digest && p.repository.Immutable() {
		say(fmt.Sprintf("%s:%s exists and the repository's tags are immutable: the push will be refused", o.repository, o.tag), "e: choose another tag")
	}
	if p.digest != "" && strings.HasSuffix(p.present(), "@"+p.digest) {
		say(p.definition.Name()+" runs this very image already", "r in Services starts its tasks anew")
	}
	if o.fresh != nil {
		if o.fresh.definition.ExecutionRole == "" {
			say("no execution role: Fargate can neither pull from ECR nor write logs", "n: choose one")
		}
		return
	}
	switch s.Rollout() {
	case aws.RolloutMoving, aws.RolloutFailing, aws.RolloutRollingBack:
		say("a rollout of "+s.TaskDefinition+" is under way", "this one takes its place")
	}
	switch {
	case !s.CircuitBreaker:
		say("the service has no circuit breaker: a rollout that fails goes on and on", "B will roll it back")
	case !s.Rollback:
		say("the circuit breaker does not roll back", "B will")
	}
	if s.Desired > 0 && s.MinPercent == 0 {
		say("the service may stop all its tasks before new ones run", "")
	}
}

// warnOfChanges says that what is shipped is in no commit. It is said of a
// folder that is built, and of an image that was built here.
func (r *planner) warnOfChanges(ctx context.Context, p *shipPlan) {
	dir := ""
	switch {
	case p.order.build != nil:
		dir = p.order.build.Dir
	case p.order.stock == nil:
		dir = r.builtIn
	}
	if dir == "" {
		return
	}
	if changes := r.changes(ctx, dir); changes != "" {
		p.warnings = append(p.warnings, shipWarning{fmt.Sprintf("%s of %s", changes, dir), "what runs will be in no commit"})
	}
}

// gitPatience is how long git may take to say what has changed.
const gitPatience = 3 * time.Second

// gitChanges says what in a folder is not committed, "" for nothing and where
// nobody can tell.
func gitChanges(ctx context.Context, dir string) string {
	git, err := exec.LookPath("git")
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, gitPatience)
	defer cancel()
	// A look must neither write the index nor run what a repository configures.
	cmd := exec.CommandContext(ctx, git, "-c", "core.fsmonitor=false", "status", "--porcelain", "--", ".") //nolint:gosec // constant words
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return changesText(out)
}

// changesText counts the lines of git status --porcelain.
func changesText(status []byte) string {
	changed, untracked := 0, 0
	for line := range bytes.Lines(status) {
		if bytes.HasPrefix(line, []byte("??")) {
			untracked++
			continue
		}
		changed++
	}
	var parts []string
	if changed > 0 {
		parts = append(parts, plural(changed, "uncommitted change"))
	}
	if untracked > 0 {
		parts = append(parts, plural(untracked, "untracked file"))
	}
	return strings.Join(parts, " and ")
}
