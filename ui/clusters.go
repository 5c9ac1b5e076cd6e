package ui

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"gantry/aws"
	"gantry/ui/pane"
	"gantry/ui/style"
	"gantry/ui/table"
)

// clusterReader is what this pane needs of AWS.
type clusterReader interface {
	Clusters(ctx context.Context, page func([]aws.Cluster)) error
	ClusterIDs(ctx context.Context) ([]string, error)
	DescribeClusters(ctx context.Context, ids []string) ([]aws.Cluster, error)
	ClusterDocument(ctx context.Context, c aws.Cluster) (any, error)
}

// Clusters lists the ECS clusters, or the one that is named.
func Clusters(c clusterReader, only string, pace table.Pace) pane.Pane {
	id := func(k aws.Cluster) string { return k.ARN }
	count := func(title string, of func(aws.Cluster) int) table.Column[aws.Cluster] {
		return table.Column[aws.Cluster]{
			Title: title, Width: 6, Right: true,
			Text:    func(k aws.Cluster) string { return strconv.Itoa(of(k)) },
			Compare: func(a, b aws.Cluster) int { return cmp.Compare(of(a), of(b)) },
		}
	}
	return table.New(table.Spec[aws.Cluster]{
		Title:   "Clusters",
		Pace:    pace,
		Source:  clusterSource(c, only),
		ID:      id,
		Name:    func(k aws.Cluster) string { return k.Name },
		Failure: func(k aws.Cluster) string { return k.Failure },
		Moving:  func(k aws.Cluster) bool { return k.PendingTasks > 0 },
		Empty:   "No clusters in this account and region. ctrl+p or --region leads to another.",
		Acted:   "cluster service task",
		Enter:   func(h pane.Host, _ aws.Cluster) tea.Cmd { h.Focus("Services"); return nil },
		Columns: []table.Column[aws.Cluster]{
			{Title: "NAME", Text: func(k aws.Cluster) string { return k.Name }},
			count("SVC", func(k aws.Cluster) int { return k.ActiveServices }),
			count("RUN", func(k aws.Cluster) int { return k.RunningTasks }),
			count("PEND", func(k aws.Cluster) int { return k.PendingTasks }),
			{Title: "STATUS", Width: 10, Text: func(k aws.Cluster) string { return k.Status }},
			{Title: "CAPACITY", Width: 22, Text: func(k aws.Cluster) string { return strings.Join(k.CapacityProviders, " ") }},
			{Title: "REGION", Width: 14, Text: func(k aws.Cluster) string { return k.Region }},
		},
		Tabs: []table.Tab[aws.Cluster]{
			{Title: "Overview", Open: func(k aws.Cluster) pane.Pane { return newDetail("Overview", k, id, clusterOverview) }},
		},
		Actions: []table.Action[aws.Cluster]{
			{Key: "d", Does: "describe", Open: func(h pane.Host, rows []aws.Cluster) tea.Cmd {
				k := rows[0]
				h.Open(newDescribe(k.Name, func(ctx context.Context) (any, error) { return c.ClusterDocument(ctx, k) }))
				return nil
			}},
		},
	})
}

// clusterSource is all clusters, or just the named one: then nothing is listed,
// which needs fewer permissions and is quick in a large account.
func clusterSource(c clusterReader, only string) table.Source[aws.Cluster] {
	if only == "" {
		return table.Source[aws.Cluster]{Key: "all", List: c.Clusters, IDs: c.ClusterIDs, Describe: c.DescribeClusters}
	}
	names := []string{only}
	return table.Source[aws.Cluster]{
		Key: only,
		List: func(ctx context.Context, page func([]aws.Cluster)) error {
			rows, err := c.DescribeClusters(ctx, names)
			page(rows)
			return err
		},
		Describe: c.DescribeClusters,
	}
}

func clusterOverview(k aws.Cluster, w int) []string {
	t := style.Now()
	lines := factLines([]fact{
		{label: "cluster", value: k.Name},
		{label: "status", value: k.Status, style: clusterStyle(k)},
		{label: "problem", value: k.Failure, style: t.Bad},
		{label: "services", value: strconv.Itoa(k.ActiveServices)},
		{label: "tasks", value: fmt.Sprintf("%d running, %d pending", k.RunningTasks, k.PendingTasks)},
		{label: "instances", value: strconv.Itoa(k.ContainerInstances)},
		{label: "capacity", value: strings.Join(k.CapacityProviders, ", ")},
		{label: "exec logging", value: k.ExecLogging},
		{label: "exec key", value: k.KMSKey},
		{label: "region", value: k.Region},
		{label: "account", value: k.Account},
		{label: "ARN", value: k.ARN, style: t.Dim},
	}, w)
	return append(lines, tagLines(k.Tags, w)...)
}

func clusterStyle(k aws.Cluster) style.Style {
	if k.Status == "ACTIVE" {
		return style.Now().Good
	}
	return style.Now().Busy
}
