package aws

import (
	"context"
	"reflect"
	"time"
	"unicode"
	"unicode/utf8"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"gantry/internal/diagnose"
)

// The documents are whole answers of the API as trees of map[string]any, []any
// and plain values, with the API's own key names and times in RFC 3339, ready
// for YAML or JSON. Values that look secret are masked.

// ClusterDocument is everything ECS says about a cluster.
func (c *Client) ClusterDocument(ctx context.Context, cluster Cluster) (any, error) {
	what := "describe cluster " + cluster.Name
	s, err := c.connect(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	out, err := s.ecs.DescribeClusters(ctx, &ecs.DescribeClustersInput{
		Clusters: []string{cluster.ARN},
		Include: []types.ClusterField{
			types.ClusterFieldAttachments, types.ClusterFieldConfigurations,
			types.ClusterFieldSettings, types.ClusterFieldStatistics, types.ClusterFieldTags,
		},
	})
	if err != nil {
		return nil, c.explain(what, err)
	}
	if len(out.Clusters) == 0 {
		return nil, gone(what)
	}
	return map[string]any{"cluster": document(out.Clusters[0])}, nil
}

// ServiceDocument is everything ECS says about a service, with the task
// definition that it wants.
func (c *Client) ServiceDocument(ctx context.Context, service Service) (any, error) {
	what := "describe service " + service.Name
	s, err := c.connect(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	out, err := s.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{
		Cluster: sdk.String(service.ClusterARN), Services: []string{service.ARN}, Include: []types.ServiceField{types.ServiceFieldTags},
	})
	if err != nil {
		return nil, c.explain(what, err)
	}
	if len(out.Services) == 0 {
		return nil, gone(what)
	}
	return map[string]any{
		"service":        document(out.Services[0]),
		"taskDefinition": c.definition(ctx, s, out.Services[0].TaskDefinition),
	}, nil
}

// TaskDocument is everything ECS says about a task, with its task definition.
func (c *Client) TaskDocument(ctx context.Context, task Task) (any, error) {
	what := "describe task " + task.ID
	s, err := c.connect(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	out, err := s.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{
		Cluster: sdk.String(task.ClusterARN), Tasks: []string{task.ARN}, Include: []types.TaskField{types.TaskFieldTags},
	})
	if err != nil {
		return nil, c.explain(what, err)
	}
	if len(out.Tasks) == 0 {
		return nil, gone(what)
	}
	return map[string]any{
		"task":           document(out.Tasks[0]),
		"taskDefinition": c.definition(ctx, s, out.Tasks[0].TaskDefinitionArn),
	}, nil
}

// gone is the error of a row that is no longer there.
func gone(what string) error {
	return &diagnose.Error{What: what, Cause: "it is not there any more", Do: "refresh", Err: ErrNotFound}
}

// document turns a value of the SDK into a masked tree.
func document(v any) any {
	return mask(tree(reflect.ValueOf(v)))
}

// tree is the JSON form of an SDK value. The SDK's own serializers leave out
// zeros (a runningCount of 0 vanishes), which AWS sends and a reader misses;
// ECS's key names are the fields' names in lower camel case.
func tree(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return tree(v.Elem())
	case reflect.Struct:
		if at, ok := v.Interface().(time.Time); ok {
			return at.Format(time.RFC3339)
		}
		return branch(v)
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = tree(v.Index(i))
		}
		return list
	case reflect.Map:
		m := make(map[string]any, v.Len())
		for entries := v.MapRange(); entries.Next(); {
			m[entries.Key().String()] = tree(entries.Value())
		}
		return m
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Float32, reflect.Float64:
		return v.Float()
	default:
		return v.Int()
	}
}

// branch is the members of a struct that are set. An enumeration's "" and a
// nil list mean that AWS sent nothing.
func branch(v reflect.Value) map[string]any {
	m := make(map[string]any, v.NumField())
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() || field.Name == "ResultMetadata" {
			continue
		}
		value := v.Field(i)
		switch value.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface, reflect.String:
			if value.IsZero() {
				continue
			}
		}
		m[lowerFirst(field.Name)] = tree(value)
	}
	return m
}

func lowerFirst(name string) string {
	r, n := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(r)) + name[n:]
}
