package ui

import (
	"fmt"
	"strconv"
	"strings"

	"gantry/aws"
	"gantry/ui/lineage"
	"gantry/ui/style"
)

// change is one field of a definition, before and after.
type change struct{ field, before, after string }

// changes compares two revisions field by field. A definition without a name
// is none.
func changes(before, after aws.Definition) []change {
	all := []change{
		{"cpu", before.CPU, after.CPU},
		{"memory", before.Memory, after.Memory},
		{"platform", before.Platform, after.Platform},
		{"network", before.NetworkMode, after.NetworkMode},
		{"execution role", before.ExecutionRole, after.ExecutionRole},
		{"task role", before.TaskRole, after.TaskRole},
	}
	for _, c := range after.Containers {
		all = append(all, containerChanges(containerOf(before, c.Name), c)...)
	}
	for _, c := range before.Containers {
		if containerOf(after, c.Name).Name == "" {
			all = append(all, change{c.Name, c.Image, ""})
		}
	}
	return all
}

func containerChanges(before, after aws.DefinedContainer) []change {
	essential := map[bool]string{true: "essential", false: "not essential"}
	was := ""
	if before.Name != "" {
		was = essential[before.Essential]
	}
	return []change{
		{after.Name + " image", before.Image, after.Image},
		{after.Name + " ports", portList(before.Ports), portList(after.Ports)},
		{after.Name + " is", was, essential[after.Essential]},
	}
}

func containerOf(d aws.Definition, name string) aws.DefinedContainer {
	for _, c := range d.Containers {
		if c.Name == name {
			return c
		}
	}
	return aws.DefinedContainer{}
}

func portList(ports []int) string {
	texts := make([]string, len(ports))
	for i, p := range ports {
		texts[i] = strconv.Itoa(p)
	}
	return strings.Join(texts, " ")
}

// diffLabel is the least place for the name of a field that is new.
const diffLabel = 16

// diffLabels is the place for the names of all that are new, and a blank.
func diffLabels(all []change, w int) int {
	n := diffLabel
	for _, c := range all {
		if c.before == "" && c.after != "" {
			n = max(n, style.Width(style.Plain(c.field))+1)
		}
	}
	return min(n, w/2)
}

// diffLines are the fields that change, and then, dim, those that stay.
func diffLines(before, after aws.Definition, w int) []string {
	t := style.Now()
	var lines, same []string
	all := changes(before, after)
	label := diffLabels(all, w)
	for _, c := range all {
		if c.before == c.after {
			if c.after != "" {
				same = append(same, c.field+" "+c.after)
			}
			continue
		}
		if c.before == "" {
			lines = append(lines, styled(t.Good, broken(" + "+style.Fit(style.Cut(style.Plain(c.field), label-1), label), c.after, w))...)
			continue
		}
		lines = append(lines, " "+t.Header.Render(style.Plain(c.field)))
		lines = append(lines, styled(t.Bad, broken(" - ", c.before, w))...)
		if c.after != "" {
			lines = append(lines, styled(t.Good, broken(" + ", c.after, w))...)
		}
	}
	if len(same) > 0 {
		text := "stays as in " + before.Name() + ", with all that is not shown: " + strings.Join(same, " · ")
		lines = append(lines, styled(t.Dim, hanging(" ", text, w-1))...)
	}
	return lines
}

// broken is a long name in lines of at most w cells behind a sign, cut where
// it must be: the name of an image has no blanks.
func broken(sign, text string, w int) []string {
	n := style.Width(sign)
	lines := style.Break(style.Plain(text), max(1, w-n-1))
	for i := range lines {
		if i == 0 {
			lines[i] = sign + lines[i]
			continue
		}
		lines[i] = style.Blank(n) + lines[i]
	}
	return lines
}

// planLines say what will be done, before it is.
func planLines(p *shipPlan, w int) []string {
	o := &p.order
	lines := p.warningLines(w)
	lines = append(lines, factLines([]fact{
		{label: "ship", value: p.what()},
		{label: "to", value: p.whither()},
		{label: "in", value: where(o.scope, o.cluster()), style: style.Now().Accent},
		{label: "image", value: p.imageText()},
		{label: "push", value: p.pushText()},
		{label: "tasks", value: p.touched(), style: style.Now().Accent},
		{label: "if it fails", value: p.ifItFails()},
		{label: "stages", value: p.stagesText()},
	}, w)...)
	head := "new revision of " + p.definition.Name()
	if o.fresh != nil {
		head = "new revision of family " + o.fresh.definition.Family
	}
	lines = append(lines, "", heading(head))
	lines = append(lines, diffLines(p.definition, p.next(), w)...)
	if o.fresh != nil {
		lines = append(lines, "", heading("new service "+o.target()))
		lines = append(lines, freshLines(o.fresh, w)...)
	}
	return lines
}

// warningLines come before everything else.
func (p *shipPlan) warningLines(w int) []string {
	t := style.Now()
	var lines []string
	for _, n := range p.warnings {
		lines = append(lines, styled(t.Busy, hanging(" ▲ ", n.what, w-1))...)
		if n.do != "" {
			lines = append(lines, styled(t.Accent, hanging("   → ", n.do, w-1))...)
		}
	}
	if len(lines) > 0 {
		lines = append(lines, "")
	}
	return lines
}

func (p *shipPlan) what() string {
	o := &p.order
	switch {
	case o.build != nil:
		return fmt.Sprintf("%s, built from %s", o.image, o.build.Dir)
	case o.stock != nil:
		return o.name() + " · " + lineage.Short(p.digest) + " · " + p.facts.Platform
	}
	return o.image + " · " + lineage.Short(p.facts.ID) + " · " + p.facts.Platform
}

func (p *shipPlan) whither() string {
	o := &p.order
	if o.fresh != nil {
		return "a new service " + o.fresh.service.Name + ", container " + o.container
	}
	return fmt.Sprintf("service %s, container %s, which runs %s", o.service.Name, o.container, p.definition.Name())
}

// imageText is the old image and the new one, as short as they can be told
// apart; in full they stand in the revision.
func (p *shipPlan) imageText() string {
	coming := p.order.repository + ":" + p.order.tag
	if p.digest != "" {
		coming = p.order.repository + "@" + lineage.Short(p.digest)
	}
	if p.order.fresh != nil {
		return coming
	}
	return shortImage(p.present()) + " → " + coming
}

// shortImage is an image without its registry, by its digest where it has one.
func shortImage(image string) string {
	r := lineage.Parse(image)
	if r.Digest != "" {
		return lineage.Path(r.Repository) + "@" + lineage.Short(r.Digest)
	}
	return lineage.Path(r.Name())
}

func (p *shipPlan) pushText() string {
	o := &p.order
	to := o.repository + ":" + o.tag
	switch {
	case o.stock != nil:
		return "nothing: it is in ECR"
	case p.digest != "":
		return "nothing: " + o.repository + " has this digest already"
	case p.repository.URI == "":
		return to + ", a repository that is created first"
	case p.tagged != "":
		return fmt.Sprintf("%s, which is at %s now", to, lineage.Short(p.tagged))
	}
	return to + " at " + p.repository.URI
}

func (p *shipPlan) ifItFails() string {
	s := &p.order.service
	switch {
	case p.order.fresh != nil:
		return "ECS gives up; a new service has nothing to go back to"
	case s.CircuitBreaker && s.Rollback:
		return "the circuit breaker brings back " + p.definition.Name()
	case s.CircuitBreaker:
		return "the circuit breaker gives up, and B brings back " + p.definition.Name()
	}
	return "nothing gives up by itself; B brings back " + p.definition.Name()
}

func (p *shipPlan) stagesText() string {
	var names []string
	for _, s := range p.stages() {
		names = append(names, stageNamed[s])
	}
	return strings.Join(names, " → ")
}

// freshLines is what is created beside the definition.
func freshLines(f *freshService, w int) []string {
	s := f.service
	return factLines([]fact{
		{label: "tasks", value: plural(s.Desired, "task") + " on Fargate"},
		{label: "subnets", value: strings.Join(s.Subnets, " ")},
		{label: "groups", value: strings.Join(s.SecurityGroups, " ")},
		{label: "public IP", value: yesNo[s.PublicIP]},
		{label: "exec", value: yesNo[s.ExecEnabled]},
		{label: "log group", value: f.definition.LogGroup},
	}, w)
}
