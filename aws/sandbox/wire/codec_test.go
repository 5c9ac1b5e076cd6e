package wire

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/document"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// everything has a member of each kind that SDK types use.
type everything struct {
	Blob    []byte
	Double  *float64
	Float   float32
	Flag    *bool
	Integer *int32
	Time    *time.Time
	Map     map[string][]string
	List    []string
	Nested  *everything
	hidden  int
}

func TestFormIsReadByTheTypeOfTheField(t *testing.T) {
	values, err := url.ParseQuery("blob=AAE%3D&Double=-Infinity&Flag=true&Integer=-7&Time=2026-11-23T08:34:01.5Z" +
		"&Map.entry.1.key=k&Map.entry.1.value.member.1=v&List.10=c&List.2=b&List.1=a&Nested.List.member.1=x&Nested.Map.1.key=a&Nested.Map.1.value=&hidden=3&Unknown.a=1")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := parseForm(values)
	if err != nil {
		t.Fatal(err)
	}
	var got everything
	if err := newCodec(stsService).assign(reflect.ValueOf(&got).Elem(), tree, ""); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 8, 34, 1, 5e8, time.UTC)
	want := everything{
		Blob: []byte{0, 1}, Double: aws.Float64(math.Inf(-1)), Flag: aws.Bool(true), Integer: aws.Int32(-7), Time: &at,
		Map: map[string][]string{"k": {"v"}}, List: []string{"a", "b", "c"},
		Nested: &everything{List: []string{"x"}, Map: map[string][]string{"a": {}}},
	}
	if !reflect.DeepEqual(got, want) || got.hidden != 0 {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for _, form := range []string{"Blob=%25", "Flag=yes", "Time=now", "Integer.a=1", "Map.entry.1.key=a"} {
		values, _ := url.ParseQuery(form)
		tree, _ := parseForm(values)
		if err := newCodec(stsService).assign(reflect.ValueOf(&everything{}).Elem(), tree, ""); err == nil {
			t.Errorf("%s was accepted", form)
		}
	}
}

func TestJSONNumbersThatJSONLacks(t *testing.T) {
	c := newCodec(ecsService)
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e300, 0.1, -3, 1e15} {
		text, err := c.appendJSON(nil, reflect.ValueOf(everything{Double: &f}))
		if err != nil || !json.Valid(text) {
			t.Fatalf("%v: %s, %v", f, text, err)
		}
		tree, err := parseJSON(text)
		if err != nil {
			t.Fatal(err)
		}
		var back everything
		if err := c.assign(reflect.ValueOf(&back).Elem(), tree, ""); err != nil {
			t.Fatal(err)
		}
		if *back.Double != f && !math.IsNaN(f) {
			t.Errorf("%v came back as %v", f, *back.Double)
		}
	}
	for _, text := range []string{`{"double":"1"}`, `{"time":"2026-11-23T08:34:01Z"}`, `{"time":1e99}`, `{"blob":"%"}`, `{"blob":[1]}`, `{"float":1e99}`} {
		tree, err := parseJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.assign(reflect.ValueOf(&everything{}).Elem(), tree, ""); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}

func TestDocumentsAreSpeltAsPlainJSON(t *testing.T) {
	c := newCodec(ecsService)
	hook := ecstypes.DeploymentLifecycleHook{HookDetails: document.NewLazyDocument(map[string]any{"a": []any{1, "b", true, nil}})}
	text, err := c.appendJSON(nil, reflect.ValueOf(hook))
	if want := `{"hookDetails":{"a":[1,"b",true,null]}}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v; want %s", text, err, want)
	}
}

func TestUnionsNameTheirMember(t *testing.T) {
	c := newCodec(ecsService)
	in := ecstypes.ServiceConnectConfiguration{ContainerConfigurations: []ecstypes.ServiceConnectContainerConfiguration{
		&ecstypes.ServiceConnectContainerConfigurationMemberLogLevel{Value: "info"},
	}}
	text, err := c.appendJSON(nil, reflect.ValueOf(in))
	if want := `{"enabled":false,"containerConfigurations":[{"logLevel":"info"}]}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v; want %s", text, err, want)
	}
}

func FuzzDecodeJSON(f *testing.F) {
	f.Add([]byte(`{"family":"web","containerDefinitions":[{"name":"a","environment":[{"name":"b","value":"c"}],"cpu":1}],"tags":null}`))
	f.Add([]byte(`{"family":{},"containerDefinitions":[[[]]]}`))
	c := newCodec(ecsService)
	f.Fuzz(func(t *testing.T, body []byte) {
		tree, err := parseJSON(body)
		if err != nil {
			return
		}
		var in ecs.RegisterTaskDefinitionInput
		if c.assign(reflect.ValueOf(&in).Elem(), tree, "") != nil {
			return
		}
		text, err := c.appendJSON(nil, reflect.ValueOf(in))
		if err != nil || !json.Valid(text) {
			t.Errorf("what was read is written as %s, %v", text, err)
		}
	})
}

func FuzzDecodeForm(f *testing.F) {
	f.Add("List.member.1=a&Nested.Map.entry.1.key=k&Nested.Map.entry.1.value=v&Time=2026-11-23T08:34:01Z")
	f.Add("List=a&List.1=b&Nested.Nested.Nested.Integer=9")
	c := newCodec(stsService)
	f.Fuzz(func(_ *testing.T, body string) {
		values, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		if tree, err := parseForm(values); err == nil {
			_ = c.assign(reflect.ValueOf(&everything{}).Elem(), tree, "")
		}
	})
}

// page is an answer of DescribeTasks as large as they get: 100 tasks of one
// container, some 200 KB.
func page() *ecs.DescribeTasksOutput {
	at := time.UnixMilli(1_763_884_441_127)
	const prefix = "arn:aws:ecs:us-east-1:000000000000:"
	out := &ecs.DescribeTasksOutput{Failures: []ecstypes.Failure{}}
	for i := range 100 {
		id := fmt.Sprintf("%032x", i)
		out.Tasks = append(out.Tasks, ecstypes.Task{
			TaskArn: aws.String(prefix + "task/shop/" + id), ClusterArn: aws.String(prefix + "cluster/shop"),
			TaskDefinitionArn: aws.String(prefix + "task-definition/web:7"), Group: aws.String("service:web"),
			LastStatus: aws.String("RUNNING"), DesiredStatus: aws.String("RUNNING"), HealthStatus: ecstypes.HealthStatusUnknown,
			LaunchType: ecstypes.LaunchTypeFargate, PlatformVersion: aws.String("1.4.0"), PlatformFamily: aws.String("Linux"),
			Cpu: aws.String("256"), Memory: aws.String("512"), StartedBy: aws.String("ecs-svc/0123456789012345678"), Version: 4,
			CreatedAt: &at, StartedAt: &at, PullStartedAt: &at, PullStoppedAt: &at, ConnectivityAt: &at,
			Connectivity: ecstypes.ConnectivityConnected, AvailabilityZone: aws.String("us-east-1a"), Tags: []ecstypes.Tag{},
			Attributes: []ecstypes.Attribute{{Name: aws.String("ecs.cpu-architecture"), Value: aws.String("x86_64")}},
			Attachments: []ecstypes.Attachment{{
				Id: aws.String(id), Type: aws.String("ElasticNetworkInterface"), Status: aws.String("ATTACHED"),
				Details: []ecstypes.KeyValuePair{
					{Name: aws.String("subnetId"), Value: aws.String("subnet-0123456789abcdef0")},
					{Name: aws.String("networkInterfaceId"), Value: aws.String("eni-0123456789abcdef0")},
					{Name: aws.String("macAddress"), Value: aws.String("0a:58:a9:fe:ac:02")},
					{Name: aws.String("privateIPv4Address"), Value: aws.String("10.0.0.7")},
				},
			}},
			Containers: []ecstypes.Container{{
				ContainerArn: aws.String(prefix + "container/shop/" + id + "/" + id), TaskArn: aws.String(prefix + "task/shop/" + id),
				Name: aws.String("web"), Image: aws.String("gantry/demo:7"), RuntimeId: aws.String(id), LastStatus: aws.String("RUNNING"),
				NetworkBindings: []ecstypes.NetworkBinding{}, HealthStatus: ecstypes.HealthStatusUnknown, Cpu: aws.String("0"),
				NetworkInterfaces: []ecstypes.NetworkInterface{{AttachmentId: aws.String(id), PrivateIpv4Address: aws.String("10.0.0.7")}},
				ManagedAgents:     []ecstypes.ManagedAgent{{Name: ecstypes.ManagedAgentNameExecuteCommandAgent, LastStatus: aws.String("RUNNING"), LastStartedAt: &at}},
			}},
			Overrides: &ecstypes.TaskOverride{ContainerOverrides: []ecstypes.ContainerOverride{{Name: aws.String("web")}}},
		})
	}
	return out
}

func BenchmarkEncodeDescribeTasks(b *testing.B) {
	c, out := newCodec(ecsService), reflect.ValueOf(page()).Elem()
	var text []byte
	for b.Loop() {
		text, _ = c.appendJSON(text[:0], out)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
}

func BenchmarkDecodeDescribeTasks(b *testing.B) {
	c := newCodec(ecsService)
	var in ecs.DescribeTasksInput
	for i := range 100 {
		in.Tasks = append(in.Tasks, fmt.Sprintf("arn:aws:ecs:us-east-1:000000000000:task/shop/%032x", i))
	}
	in.Cluster = aws.String("shop")
	body, err := c.appendJSON(nil, reflect.ValueOf(in))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		tree, err := parseJSON(body)
		if err != nil {
			b.Fatal(err)
		}
		var in ecs.DescribeTasksInput
		if err := c.assign(reflect.ValueOf(&in).Elem(), tree, ""); err != nil || len(in.Tasks) != 100 {
			b.Fatal(err)
		}
	}
}

// BenchmarkCall is a whole call by the SDK's client over loopback.
func BenchmarkCall(b *testing.B) {
	m := newMux(answer(page(), nil))
	client := ecs.NewFromConfig(serve(b, m))
	b.ReportAllocs()
	for b.Loop() {
		out, err := client.DescribeTasks(b.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("shop"), Tasks: []string{"a"}})
		if err != nil || len(out.Tasks) != 100 {
			b.Fatal(err)
		}
	}
}
