package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/internal/diagnose"
	"gantry/internal/pattern"
	"gantry/ui/pane"
)

// The fields of the first dialog about a new service.
const (
	freshName = iota
	freshFamily
	freshContainer
	freshPort
	freshSize
	freshTasks
	freshLogs
)

// The fields of the second one.
const (
	freshSubnets = iota
	freshGroups
	freshPublicIP
	freshExecutionRole
	freshTaskRole
	freshExec
)

const (
	execOn  = "on"
	execOff = "off"
)

// freshForm asks in two steps what a new service needs: what runs, and where
// and as whom.
type freshForm struct {
	*ship
	offer shipOffer
	what  []string // the answers to the first dialog
	where []string // those to the second, when it was answered before
}

// newFreshForm begins with what suits the image.
func newFreshForm(s *ship, o shipOffer) *freshForm {
	name := shortName(s.order.name())
	port := ""
	if len(o.ports) > 0 {
		port = strconv.Itoa(o.ports[0])
	}
	f := &freshForm{ship: s, offer: o, what: []string{
		freshName: name, freshFamily: name, freshContainer: name, freshPort: port, freshSize: sizesOf()[0], freshTasks: "1", freshLogs: "/ecs/" + name,
	}}
	f.where = []string{freshPublicIP: yesNo[false], freshExec: execOff}
	for _, r := range o.services {
		f.where[freshSubnets], f.where[freshGroups] = networkOf(r)
		f.where[freshPublicIP] = yesNo[r.PublicIP]
		break
	}
	for _, r := range o.roles {
		if strings.Contains(r.Name, "xecution") {
			f.where[freshExecutionRole] = r.ARN
			break
		}
	}
	return f
}

// ask asks what runs.
func (f *freshForm) ask() {
	var ports []string
	for _, p := range f.offer.ports {
		ports = append(ports, strconv.Itoa(p))
	}
	fields := []pane.Field{
		freshName:      {Label: "service"},
		freshFamily:    {Label: "family"},
		freshContainer: {Label: "container"},
		freshPort:      {Label: "port"},
		freshSize:      {Label: "size", Choices: sizeChoices},
		freshTasks:     {Label: "tasks"},
		freshLogs:      {Label: "log group"},
	}
	if len(ports) > 0 {
		fields[freshPort].Choices = containing(ports...)
	}
	for i := range fields {
		fields[i].Value = f.what[i]
	}
	f.host.Ask(pane.Dialog{
		Title: "New service in " + clusterName(f.offer.cluster) + ": what runs?", Fields: fields,
		Body: pane.Static("On Fargate. Without a port nothing reaches it. The log group is made if it is missing; empty for no logs."),
		Check: func(values []string) error {
			_, err := f.read(values, f.where)
			return err
		},
		Do: func(values []string) tea.Cmd {
			f.what = values
			f.askWhere()
			return nil
		},
	})
}

func sizeChoices(typed string) []pane.Choice {
	var cs []pane.Choice
	for _, size := range sizesOf() {
		if strings.HasPrefix(size, typed) {
			cs = append(cs, pane.Choice{Value: size, Note: sizeText(size)})
		}
	}
	return cs
}

// askWhere asks for network and roles.
func (f *freshForm) askWhere() {
	fields := []pane.Field{
		freshSubnets:       {Label: "subnets", Choices: f.offer.subnetChoices()},
		freshGroups:        {Label: "security groups", Choices: f.offer.groupChoices()},
		freshPublicIP:      {Label: "public IP", Strict: true, Choices: containing(firstly(f.where[freshPublicIP], yesNo[false], yesNo[true])...)},
		freshExecutionRole: {Label: "execution role", Strict: true, Choices: f.roles(f.where[freshExecutionRole])},
		freshTaskRole:      {Label: "task role", Strict: true, Choices: f.roles(f.where[freshTaskRole])},
		freshExec:          {Label: "exec", Strict: true, Choices: containing(firstly(f.where[freshExec], execOn, execOff)...)},
	}
	if len(f.offer.roles) == 0 {
		fields[freshExecutionRole] = pane.Field{Label: "execution role"}
		fields[freshTaskRole] = pane.Field{Label: "task role"}
	}
	for i := range fields {
		fields[i].Value = f.where[i]
	}
	f.host.Ask(pane.Dialog{
		Title: "New service " + f.what[freshName] + ": where, and as whom?", Fields: fields, Body: f.whereText,
		Check: func(values []string) error {
			return f.checkWhere(values)
		},
		Do: func(values []string) tea.Cmd {
			f.where = values
			fresh, err := f.read(f.what, values)
			if err != nil {
				f.host.Say(pane.Notice{Err: err})
				return nil
			}
			f.order.fresh, f.form = &fresh, f
			return f.next()
		},
	})
}

// whereText says what is offered, and why something is not.
func (f *freshForm) whereText([]string) string {
	lines := []string{"Several subnets or groups stand with blanks between. Without a public IP the tasks need a NAT gateway or endpoints to pull their image. Exec needs a task role with ssmmessages permissions."}
	for _, m := range f.offer.missing {
		lines = append(lines, "▲ "+m+". Type what you need.")
	}
	return strings.Join(lines, "\n")
}

var serviceName = pattern.Late(`^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$`)

// read turns the answers into a definition and a service, or says what is wrong
// with them.
func (f *freshForm) read(what, where []string) (freshService, error) {
	field := func(values []string, i int) string { return strings.TrimSpace(values[i]) }
	refuse := func(cause, do string) (freshService, error) {
		return freshService{}, &diagnose.Error{What: "plan the new service", Cause: cause, Do: do}
	}
	for _, i := range []int{freshName, freshFamily, freshContainer} {
		if name := field(what, i); !serviceName().MatchString(name) {
			return refuse(fmt.Sprintf("%q is no name for ECS", name), "use letters, digits, - and _")
		}
	}
	port := 0
	if text := field(what, freshPort); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 65535 {
			return refuse(fmt.Sprintf("%q is no port", text), "type a number from 1 to 65535, or nothing")
		}
		port = n
	}
	size := field(what, freshSize)
	if !slices.Contains(sizesOf(), size) {
		return refuse(fmt.Sprintf("Fargate has no size %q", size), "choose one that is offered, such as "+sizesOf()[0])
	}
	cpu, memory, _ := strings.Cut(size, "/")
	tasks, err := taskCount(field(what, freshTasks))
	if err != nil {
		return freshService{}, err
	}
	platform := ""
	if f.order.build != nil {
		platform = f.order.build.Platform
	}
	subnets, groups := f.offer.chosen(where[freshSubnets], where[freshGroups])
	return freshService{
		definition: aws.NewDefinition{
			Family: field(what, freshFamily), Container: field(what, freshContainer), Port: port, CPU: cpu, Memory: memory, Platform: cmp.Or(platform, defaultPlatform),
			ExecutionRole: roleOf(where[freshExecutionRole]), TaskRole: roleOf(where[freshTaskRole]), LogGroup: field(what, freshLogs),
		},
		service: aws.NewService{
			Cluster: f.offer.cluster, Name: field(what, freshName), Desired: tasks,
			Subnets: subnets, SecurityGroups: groups,
			PublicIP: where[freshPublicIP] == yesNo[true], ExecEnabled: where[freshExec] == execOn,
		},
	}, nil
}
