package ui

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/ui/pane"
	"gantry/ui/style"
	"gantry/ui/table"
)

// serviceClient is what this pane needs of AWS.
type serviceClient interface {
	Services(ctx context.Context, cluster string, page func([]aws.Service)) error
	ServiceIDs(ctx context.Context, cluster string) ([]string, error)
	DescribeServices(ctx context.Context, cluster string, ids []string) ([]aws.Service, error)
	ServiceDocument(ctx context.Context, s aws.Service) (any, error)
	Scale(ctx context.Context, s aws.Service, desired int) error
	deployer
	logReader
}

// services lists the services of the selected cluster.
type services struct {
	*table.Table[aws.Service]
	client serviceClient
	only   string // the one service to show; all when empty
	scale  scaling
	backs  rollbacks
	places *lineages
	ships  *shipping
	host   pane.Host

	cluster  string // name or ARN
	toldNone bool   // it was said that the cluster has no services
}

// Services is the pane of services. A cluster, when named, is shown without
// waiting for the list of clusters. Without an AWS to ship to, ships is nil.
func Services(c serviceClient, cluster, only string, pace table.Pace, places *lineages, ships *shipping) pane.Pane {
	s := &services{client: c, only: only, places: places, ships: ships, backs: rollbacks{client: c}}
	s.scale = scaling{client: c, asked: map[string]ask{}}
	s.Table = table.New(s.spec(pace))
	s.Within(s)
	if s.cluster = cluster; cluster != "" {
		s.Follow(s.source(cluster))
	}
	return s
}

func serviceID(s aws.Service) string { return s.ARN }

func (s *services) spec(pace table.Pace) table.Spec[aws.Service] {
	return table.Spec[aws.Service]{
		Title:   "Services",
		Pace:    pace,
		ID:      serviceID,
		Name:    func(r aws.Service) string { return r.Name },
		Failure: func(r aws.Service) string { return r.Failure },
		Moving:  func(r aws.Service) bool { return r.Moving() },
		Dim:     func(r aws.Service) bool { return r.Status == "INACTIVE" },
		Waiting: "Select a cluster above.",
		Empty:   "This cluster has no services. Its tasks are below.",
		Acted:   "service task",
		Enter:   func(h pane.Host, _ aws.Service) tea.Cmd { h.Focus("Tasks"); return nil },
		Columns: serviceColumns(),
		Tabs: []table.Tab[aws.Service]{
			{Title: "Overview", Open: func(r aws.Service) pane.Pane { return newDetail("Overview", r, serviceID, serviceOverview) }},
			{Title: "Events", Open: func(r aws.Service) pane.Pane { return newDetail("Events", r, serviceID, serviceEvents) }},
			serviceLineage(s.places),
			definitionTabOf(s.places, serviceID, func(r aws.Service) string { return r.TaskDefinition }),
		},
		Actions: []table.Action[aws.Service]{
			{Key: "s", Does: "scale", Mutates: true, Open: func(h pane.Host, rows []aws.Service) tea.Cmd { return s.scale.open(s.Table, h, rows) }},
			{Key: "+", Does: "one more", Mutates: true, Open: func(h pane.Host, rows []aws.Service) tea.Cmd { return s.scale.add(h, rows, 1) }},
			{Key: "-", Does: "one less", Mutates: true, Open: func(h pane.Host, rows []aws.Service) tea.Cmd { return s.scale.add(h, rows, -1) }},
			{Key: "u S", Does: "ship", Mutates: true, When: s.canShip, Open: func(h pane.Host, rows []aws.Service) tea.Cmd {
				return s.ships.to(h, rows[0])
			}},
			redeploy(s.client),
			{Key: "B", Does: "roll back", Mutates: true, When: isActive, Open: s.backs.ask},
			{Key: "l", Does: "logs", Open: serviceLogs(s.client)},
			{Key: "d", Does: "describe", Open: func(h pane.Host, rows []aws.Service) tea.Cmd {
				r := rows[0]
				h.Open(newDescribe(r.Name, func(ctx context.Context) (any, error) { return s.client.ServiceDocument(ctx, r) }))
				return nil
			}},
		},
	}
}

func serviceColumns() []table.Column[aws.Service] {
	return []table.Column[aws.Service]{
		{Title: "NAME", Text: func(r aws.Service) string { return r.Name }},
		{
			Title: "RUN", Width: 6, Right: true,
			Text: func(r aws.Service) string { return fmt.Sprintf("%d/%d", r.Running, r.Desired) },
			Compare: func(a, b aws.Service) int {
				return cmp.Or(cmp.Compare(a.Running, b.Running), cmp.Compare(a.Desired, b.Desired))
			},
		},
		{Title: "ROLLOUT", Width: 10, Text: func(r aws.Service) string { return rolloutSign(r.Rollout()) }, Style: func(r aws.Service) style.Style { return rolloutStyle(r.Rollout()) }},
		{Title: "DEFINITION", Width: 18, Text: func(r aws.Service) string { return r.TaskDefinition }},
		{
			Title: "PENDING", Width: 8, Right: true,
			Text:    func(r aws.Service) string { return strconv.Itoa(r.Pending) },
			Compare: func(a, b aws.Service) int { return cmp.Compare(a.Pending, b.Pending) },
		},
		{
			Title: "FAILED", Width: 7, Right: true,
			Text:    func(r aws.Service) string { return strconv.Itoa(r.FailedTasks()) },
			Compare: func(a, b aws.Service) int { return cmp.Compare(a.FailedTasks(), b.FailedTasks()) },
		},
		{Title: "LAUNCH", Width: 10, Text: func(r aws.Service) string { return r.LaunchType }},
		{Title: "EXEC", Width: 5, Text: func(r aws.Service) string { return yesNo[r.ExecEnabled] }},
		{
			Title: "CREATED", Width: 12,
			Text:    func(r aws.Service) string { return moment(r.Created) },
			Compare: func(a, b aws.Service) int { return a.Created.Compare(b.Created) },
		},
		{Title: "LAST EVENT", Width: 60, Text: lastEvent},
	}
}

func lastEvent(r aws.Service) string {
	if len(r.Events) == 0 {
		return ""
	}
	return r.Events[0].Message
}

// yesNo is a switch in words.
var yesNo = map[bool]string{true: "yes", false: "no"}

func (s *services) source(cluster string) table.Source[aws.Service] {
	c := s.client
	describe := func(ctx context.Context, ids []string) ([]aws.Service, error) {
		return c.DescribeServices(ctx, cluster, ids)
	}
	if s.only != "" {
		return table.Source[aws.Service]{
			Key: cluster + "/" + s.only, Describe: describe,
			List: func(ctx context.Context, page func([]aws.Service)) error {
				rows, err := describe(ctx, []string{s.only})
				page(rows)
				return err
			},
		}
	}
	return table.Source[aws.Service]{
		Key: cluster, Describe: describe,
		List: func(ctx context.Context, page func([]aws.Service)) error { return c.Services(ctx, cluster, page) },
		IDs:  func(ctx context.Context) ([]string, error) { return c.ServiceIDs(ctx, cluster) },
	}
}

// Init takes the host.
func (s *services) Init(h pane.Host) tea.Cmd {
	s.host = h
	return s.Table.Init(h)
}

// Close gives up on what is under way.
func (s *services) Close() {
	s.backs.load.Stop()
	s.Table.Close()
}

func (s *services) canShip(r aws.Service) bool { return s.ships.ready() && isActive(r) }

// Update follows the clusters and ends the gathering of + and -.
func (s *services) Update(msg tea.Msg) tea.Cmd {
	if mine, cmd := s.backs.Update(s.Table, s.host, msg); mine {
		return cmd
	}
	switch msg := msg.(type) {
	case pane.Selected[aws.Cluster]:
		return s.follow(msg.Row)
	case gathered:
		return s.scale.flush(s.Table, msg)
	}
	return tea.Batch(s.Table.Update(msg), s.tellNone())
}

// noServices says that the cluster has been read and has no services, so that
// its tasks are the cluster's own.
type noServices struct{ cluster string }

// tellNone says noServices once for a cluster.
func (s *services) tellNone() tea.Cmd {
	if !s.None() {
		s.toldNone = false
		return nil
	}
	if s.toldNone {
		return nil
	}
	s.toldNone = true
	return pane.Send(noServices{s.cluster})
}

func (s *services) follow(c *aws.Cluster) tea.Cmd {
	if c == nil {
		s.cluster = ""
		return s.Follow(table.Source[aws.Service]{})
	}
	if c.ARN == s.cluster || c.Name == s.cluster {
		return nil
	}
	s.cluster = c.ARN
	return s.Follow(s.source(c.ARN))
}

// rolloutSign is a rollout with a sign, so that it does not depend on colour.
func rolloutSign(rollout string) string {
	signs := map[string]string{
		aws.RolloutSteady: "✓", aws.RolloutMoving: "●", aws.RolloutFailing: "▲", aws.RolloutRollingBack: "↩",
		aws.RolloutFailed: "✗", aws.RolloutDraining: "▽", aws.RolloutInactive: "○", aws.RolloutUnknown: "?",
	}
	words := map[string]string{aws.RolloutRollingBack: "rollback"}
	return signs[rollout] + " " + cmp.Or(words[rollout], rollout)
}

func rolloutStyle(rollout string) style.Style {
	t := style.Now()
	switch rollout {
	case aws.RolloutSteady:
		return t.Good
	case aws.RolloutFailed, aws.RolloutFailing, aws.RolloutRollingBack, aws.RolloutUnknown:
		return t.Bad
	case aws.RolloutInactive:
		return t.Dim
	}
	return t.Busy
}

func serviceOverview(r aws.Service, w int) []string {
	t := style.Now()
	lines := factLines([]fact{
		{label: "service", value: r.Name},
		{label: "rollout", value: rolloutSign(r.Rollout()), style: rolloutStyle(r.Rollout())},
		{label: "problem", value: r.Failure, style: t.Bad},
		{label: "tasks", value: fmt.Sprintf("%d desired, %d running, %d pending", r.Desired, r.Running, r.Pending)},
		{label: "definition", value: r.TaskDefinition},
		{label: "launch", value: strings.TrimSpace(r.LaunchType + " " + r.PlatformVersion)},
		{label: "exec", value: yesNo[r.ExecEnabled]},
		{label: "breaker", value: breaker(r)},
		{label: "deploys", value: fmt.Sprintf("%d–%d %% of desired", r.MinPercent, r.MaxPercent)},
		{label: "balancers", value: strings.Join(r.LoadBalancers, ", ")},
		{label: "subnets", value: strings.Join(r.Subnets, ", ")},
		{label: "groups", value: strings.Join(r.SecurityGroups, ", ")},
		{label: "public IP", value: yesNo[r.PublicIP]},
		{label: "created", value: clock(r.Created)},
		{label: "ARN", value: r.ARN, style: t.Dim},
	}, w)
	for _, d := range r.Deployments {
		lines = append(lines, "")
		lines = append(lines, deploymentLines(d, w)...)
	}
	return append(lines, tagLines(r.Tags, w)...)
}

func breaker(r aws.Service) string {
	switch {
	case r.CircuitBreaker && r.Rollback:
		return "on, rolls back"
	case r.CircuitBreaker:
		return "on"
	}
	return "off"
}

func deploymentLines(d aws.Deployment, w int) []string {
	lines := []string{heading(d.Status + " " + d.TaskDefinition)}
	return append(lines, factLines([]fact{
		{label: "rollout", value: strings.TrimSpace(d.RolloutState + "  " + d.RolloutReason)},
		{label: "tasks", value: fmt.Sprintf("%d desired, %d running, %d pending, %d failed", d.Desired, d.Running, d.Pending, d.Failed)},
		{label: "since", value: clock(d.Created)},
		{label: "id", value: d.ID, style: style.Now().Dim},
	}, w)...)
}

// serviceEvents are the newest first, as ECS gives them.
func serviceEvents(r aws.Service, w int) []string {
	t := style.Now()
	if len(r.Events) == 0 {
		return []string{t.Dim.Render(" No events yet.")}
	}
	var lines []string
	for _, e := range r.Events {
		at := clock(e.At)
		indent := style.Width(at) + 3
		for i, l := range style.Wrap(style.Plain(e.Message), max(1, w-indent-1)) {
			head := style.Blank(indent)
			if i == 0 {
				head = " " + t.Dim.Render(at) + "  "
			}
			lines = append(lines, head+l)
		}
	}
	return lines
}

func tagLines(tags map[string]string, w int) []string {
	if len(tags) == 0 {
		return nil
	}
	facts := make([]fact, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		facts = append(facts, fact{label: style.Plain(k), value: tags[k]})
	}
	return append([]string{"", heading("Tags")}, factLines(facts, w)...)
}
