package ui

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/docker"
	"gantry/internal/diagnose"
	"gantry/ui/lineage"
	"gantry/ui/pane"
)

// errNoClusters: there is nothing that a service could be in.
var errNoClusters = &diagnose.Error{What: "choose a service", Cause: "this account and region have no clusters", Do: "create one first: aws ecs create-cluster, or ctrl+p for another region"}

// askTarget asks for the service, or for a new one in a cluster.
func (s *ship) askTarget() {
	all := s.sorted(s.targets.Value.all)
	if len(all) == 0 {
		s.host.Say(pane.Notice{Err: cmp.Or[error](s.targets.Value.err, errNoClusters)})
		return
	}
	text := "What would be done is shown before it is."
	if err := s.targets.Value.err; err != nil {
		text += "\n▲ Not all services could be listed: " + err.Error()
	}
	s.host.Ask(pane.Dialog{
		Title:  "Ship " + s.order.name() + ": to which service?",
		Fields: []pane.Field{{Label: "service", Strict: true, Choices: func(typed string) []pane.Choice { return targetChoices(all, typed, s.shipped()) }}},
		Body:   pane.Static(text),
		Check:  func(values []string) error { return offered(values[0], len(all)) },
		Do: func(values []string) tea.Cmd {
			i, _ := strconv.Atoi(values[0]) // Check has seen it
			return s.aim(all[i])
		},
	})
}

func offered(value string, n int) error {
	if i, err := strconv.Atoi(value); err != nil || i < 0 || i >= n {
		return errors.New("choose one of those that are offered")
	}
	return nil
}

// shipped is the service that this image went to last.
func (s *ship) shipped() string { return s.shipping.last[shortName(s.order.name())] }

// sorted puts first what is probably meant: the service that the image went to
// last, then those of its name, then a new one.
func (s *ship) sorted(all []shipTarget) []shipTarget {
	rank := func(t shipTarget) int {
		switch {
		case t.arn == "":
			return 2 // before those that run another image: the first is one key away
		case t.arn == s.shipped():
			return 0
		case clusterName(t.arn) == shortName(s.order.name()):
			return 1
		}
		return 3
	}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b shipTarget) int { return cmp.Compare(rank(a), rank(b)) })
	return all
}

// targetChoices are the services that fit what is typed. Where nothing does, a
// new one may.
func targetChoices(all []shipTarget, typed, last string) []pane.Choice {
	var every, fresh []pane.Choice
	for i, t := range all {
		c := pane.Choice{Value: strconv.Itoa(i), Label: t.name()}
		switch t.arn {
		case "":
			c.Label = "a new service in " + clusterName(t.cluster)
			fresh = append(fresh, c)
		case last:
			c.Note = "shipped to before"
		}
		every = append(every, c)
	}
	if fit := fitting(every, typed); len(fit) > 0 {
		return fit
	}
	return fresh
}

// aim takes the service.
func (s *ship) aim(t shipTarget) tea.Cmd {
	s.order.fresh, s.order.service, s.order.container = nil, aws.Service{}, ""
	s.order.repository = ""
	if t.arn == "" {
		return s.readOffer(t.cluster)
	}
	s.order.service = aws.Service{ARN: t.arn, Name: clusterName(t.arn), ClusterARN: t.cluster, Cluster: clusterName(t.cluster)}
	return s.next()
}

// askSource asks what the service shall run.
func (s *ship) askSource() {
	found := s.sources.Value
	choices, text := s.sourceChoices(found), ""
	if found.err != nil {
		text = "▲ Not all images could be listed: " + found.err.Error()
	}
	if len(choices) == 0 {
		s.host.Say(pane.Notice{Err: cmp.Or[error](found.err, &diagnose.Error{What: "choose an image", Cause: "there is none, here or in the service's repository", Do: "push one first"})})
		return
	}
	s.host.Ask(pane.Dialog{
		Title:  "Ship what to " + s.order.target() + "?",
		Fields: []pane.Field{{Label: "image", Strict: true, Choices: func(typed string) []pane.Choice { return fitting(choices, typed) }}},
		Body:   pane.Static(text),
		Check: func(values []string) error {
			if values[0] == "" {
				return errors.New("choose one of those that are offered")
			}
			return nil
		},
		Do: func(values []string) tea.Cmd { return s.take(found, values[0]) },
	})
}

// fromFolder is the choice that builds.
const fromFolder = "build"

// sandboxLabel marks the images that the sandbox made for itself.
const sandboxLabel = "gantry.sandbox"

// sourceChoices are the local images of the service's name first: who ships to
// it has mostly just built one. Then come those of its repository, and the
// other local ones.
func (s *ship) sourceChoices(found shipSources) []pane.Choice {
	var built, stock, other []pane.Choice
	for i, l := range found.local {
		c := pane.Choice{Value: "local " + strconv.Itoa(i), Label: imageName(l), Note: "local, of " + moment(l.Created)}
		switch {
		case l.Tag == "" || l.Labels[sandboxLabel] != "":
		case slices.Contains(found.names, shortName(imageName(l))):
			built = append(built, c)
		default:
			other = append(other, c)
		}
	}
	for i, r := range found.stock {
		label := r.Repository + "@" + lineage.Short(r.Digest)
		if len(r.Tags) > 0 {
			label = r.Repository + ":" + strings.Join(r.Tags, " :")
		}
		stock = append(stock, pane.Choice{Value: "stock " + strconv.Itoa(i), Label: label, Note: "in ECR since " + moment(r.Pushed)})
	}
	cs := slices.Concat(built, stock, other)
	if s.builds() != nil {
		cs = append(cs, pane.Choice{Value: fromFolder, Label: "build from a folder …"})
	}
	return cs
}

// take takes the image.
func (s *ship) take(found shipSources, value string) tea.Cmd {
	s.order.build, s.order.stock, s.order.image = nil, nil, ""
	kind, number, _ := strings.Cut(value, " ")
	i, _ := strconv.Atoi(number) // of a choice that was made above
	switch kind {
	case fromFolder:
		return s.builds().askFor("Ship", func(o docker.BuildOptions) tea.Cmd {
			s.order.build, s.order.image = &o, o.Tags[0]
			return s.next()
		})
	case "stock":
		s.order.stock = &found.stock[i]
	default:
		s.order.image = imageName(found.local[i])
	}
	return s.next()
}

// askChange asks for what the plan has chosen by itself.
func (s *ship) askChange() tea.Cmd {
	p := s.current.plan
	var names []string
	for _, c := range p.definition.Containers {
		names = append(names, c.Name)
	}
	fields := []pane.Field{{Label: "container", Value: p.order.container, Strict: true, Choices: containing(firstly(p.order.container, names...)...)}}
	if p.order.fresh != nil {
		fields = nil
	}
	pushes := p.order.stock == nil
	if pushes {
		fields = append(fields,
			pane.Field{Label: "repository", Value: p.order.repository, Choices: containing(p.repositories...)},
			pane.Field{Label: "tag", Value: p.order.tag})
	}
	if len(fields) == 0 {
		return nil
	}
	s.host.Ask(pane.Dialog{
		Title: "Ship " + p.order.name(), Fields: fields,
		Body: pane.Static("A repository that does not exist is created on the way."),
		Check: func(values []string) error {
			if slices.ContainsFunc(values, func(v string) bool { return strings.TrimSpace(v) == "" }) {
				return errors.New("nothing may be empty here")
			}
			return nil
		},
		Do: func(values []string) tea.Cmd {
			if p.order.fresh == nil {
				s.order.container, values = values[0], values[1:]
			}
			if pushes {
				s.order.repository, s.order.tag = strings.TrimSpace(values[0]), strings.TrimSpace(values[1])
			}
			return s.readPlan()
		},
	})
	return nil
}
