package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
)

// backend answers a few operations; each test sets what it needs.
type backend struct {
	describeTasks func(context.Context, *ecs.DescribeTasksInput) (*ecs.DescribeTasksOutput, error)
}

func (b backend) DescribeTasks(ctx context.Context, in *ecs.DescribeTasksInput) (*ecs.DescribeTasksOutput, error) {
	return b.describeTasks(ctx, in)
}

func (backend) CreateService(context.Context, *ecs.CreateServiceInput) (*ecs.CreateServiceOutput, error) {
	return &ecs.CreateServiceOutput{Service: &ecstypes.Service{}}, nil
}

func (b backend) operations() []Operation {
	return []Operation{Op(b.DescribeTasks), Op(b.CreateService)}
}

type stsBackend struct{}

func (stsBackend) AssumeRole(_ context.Context, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	if in.DurationSeconds == nil {
		return nil, &ststypes.ExpiredTokenException{Message: aws.String("a modeled error")}
	}
	return &sts.AssumeRoleOutput{SourceIdentity: in.RoleArn}, nil
}

func newMux(b backend) *Mux {
	m := &Mux{}
	m.Handle(ecsService, b.operations()...)
	m.Handle(stsService, Op(stsBackend{}.AssumeRole))
	return m
}

// post sends one request past the client and gives the raw answer.
func post(m http.Handler, contentType, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	if target != "" {
		r.Header.Set("X-Amz-Target", ecsService.Target+"."+target)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20261123/us-east-1/"+map[bool]string{true: "ecs", false: "sts"}[target != ""]+"/aws4_request, SignedHeaders=host, Signature=00")
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	return w
}

func postJSON(m http.Handler, target, body string) *httptest.ResponseRecorder {
	return post(m, "application/x-amz-json-1.1", target, body)
}

func postForm(m http.Handler, body string) *httptest.ResponseRecorder {
	return post(m, "application/x-www-form-urlencoded; charset=utf-8", "", body)
}

// errorOf reads an awsjson error.
func errorOf(t *testing.T, w *httptest.ResponseRecorder) (code, message string) {
	t.Helper()
	var e struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	if w.Header().Get("X-Amzn-Errortype") != e.Type || w.Header().Get("X-Amzn-Requestid") == "" {
		t.Errorf("headers %v do not tell of %s", w.Header(), e.Type)
	}
	return e.Type, e.Message
}

func answer(out *ecs.DescribeTasksOutput, err error) backend {
	return backend{describeTasks: func(context.Context, *ecs.DescribeTasksInput) (*ecs.DescribeTasksOutput, error) {
		return out, err
	}}
}

func TestJSONIsSpeltAsAWSSpellsIt(t *testing.T) {
	at := time.UnixMilli(1_763_884_441_500)
	for _, c := range []struct {
		name   string
		output *ecs.DescribeTasksOutput
		want   string
	}{
		{"nothing set", &ecs.DescribeTasksOutput{}, `{}`},
		{"empty lists stay", &ecs.DescribeTasksOutput{Tasks: []ecstypes.Task{}, Failures: []ecstypes.Failure{}}, `{"failures":[],"tasks":[]}`},
		{
			"zeros are sent, unset enums and pointers are not",
			&ecs.DescribeTasksOutput{Tasks: []ecstypes.Task{{CreatedAt: &at, Tags: []ecstypes.Tag{}, LaunchType: ecstypes.LaunchTypeFargate}}},
			`{"tasks":[{"createdAt":1763884441.5,"enableExecuteCommand":false,"launchType":"FARGATE","tags":[],"version":0}]}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := postJSON(newMux(answer(c.output, nil)), "DescribeTasks", "{}")
			if got := w.Body.String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got := w.Header().Get("Content-Type"); got != "application/x-amz-json-1.1" {
				t.Errorf("content type %s", got)
			}
		})
	}
	w := postJSON(newMux(backend{}), "CreateService", "{}")
	if !strings.Contains(w.Body.String(), `"runningCount":0`) {
		t.Errorf("runningCount 0 is not in %s", w.Body)
	}
}

func TestMalformedJSONIsASerializationException(t *testing.T) {
	m := newMux(answer(&ecs.DescribeTasksOutput{}, nil))
	for _, c := range []struct{ target, body, says string }{
		{"DescribeTasks", `{`, "no JSON object"},
		{"DescribeTasks", `[]`, "no JSON object"},
		{"DescribeTasks", `"x"`, "no JSON object"},
		{"DescribeTasks", `{} {}`, "goes on"},
		{"DescribeTasks", `{"tasks":"one"}`, "tasks: a string cannot be converted to a list"},
		{"DescribeTasks", `{"tasks":[1]}`, "tasks[0]: a number cannot be converted to a string"},
		{"DescribeTasks", `{"cluster":{}}`, "cluster: an object cannot be converted to a string"},
		{"DescribeTasks", `{"cluster":true}`, "cluster: a boolean cannot be converted to a string"},
		{"DescribeTasks", `{"\u001b[31mcluster":1,"tasks":3}`, "tasks"},
		{"CreateService", `{"desiredCount":1.5}`, "desiredCount: 1.5 is not a 32-bit number"},
		{"CreateService", `{"desiredCount":4294967296}`, "desiredCount: 4294967296 is not a 32-bit number"},
		{"CreateService", `{"desiredCount":"3"}`, "desiredCount: a string cannot be converted to a 32-bit number"},
		{"CreateService", `{"enableExecuteCommand":"yes"}`, "a string cannot be converted to a boolean"},
		{"CreateService", `{"networkConfiguration":[]}`, "networkConfiguration: a list cannot be converted to an object"},
		{"CreateService", `{"tags":[{"key":[]}]}`, "tags[0].key: a list cannot be converted to a string"},
		{"CreateService", `{"serviceConnectConfiguration":{"containerConfigurations":[{"other":1}]}}`, "not a member of this union"},
		{"CreateService", `{"serviceConnectConfiguration":{"containerConfigurations":[3]}}`, "cannot be converted to an object"},
		{"CreateService", strings.Repeat(`{"a":`, 20_000), "no JSON object"},
	} {
		w := postJSON(m, c.target, c.body)
		code, message := errorOf(t, w)
		if w.Code != http.StatusBadRequest || code != "SerializationException" || !strings.Contains(message, c.says) {
			t.Errorf("%.60s: %d %s: %s; want %q in it", c.body, w.Code, code, message, c.says)
		}
	}
}

func TestJSONInputIsTakenAsAWSTakesIt(t *testing.T) {
	var got *ecs.DescribeTasksInput
	m := newMux(backend{describeTasks: func(_ context.Context, in *ecs.DescribeTasksInput) (*ecs.DescribeTasksOutput, error) {
		got = in
		return &ecs.DescribeTasksOutput{}, nil
	}})
	for _, body := range []string{"", " ", `{"tasks":null,"unknown":{"a":[1]}}`} {
		if w := postJSON(m, "DescribeTasks", body); w.Code != http.StatusOK || got.Cluster != nil || got.Tasks != nil {
			t.Errorf("%q: %d, %+v", body, w.Code, got)
		}
	}
	if w := postJSON(m, "DescribeTasks", `{"Cluster":"a","tasks":[]}`); w.Code != http.StatusOK || *got.Cluster != "a" || got.Tasks == nil {
		t.Errorf("%d, %+v", w.Code, got)
	}
}

func TestUnknownOperationsAreNamed(t *testing.T) {
	m := newMux(backend{})
	for name, w := range map[string]*httptest.ResponseRecorder{
		"ecs:DeleteEverything": postJSON(m, "DeleteEverything", "{}"),
		"ecs:Stop":             postJSON(m, "Stop", "{}"),
		"GET /":                get(m, "/"),
	} {
		code, message := errorOf(t, w)
		if w.Code != http.StatusBadRequest || code != "UnknownOperationException" || !strings.Contains(message, name) {
			t.Errorf("%s: %d %s: %s", name, w.Code, code, message)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.\x1b[31m"+strings.Repeat("x", 1000))
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	if _, message := errorOf(t, w); !strings.Contains(message, "DynamoDB_20120810.?[31mxxx") || len(message) > 300 {
		t.Errorf("message is %q", message)
	}
	if w := postForm(m, "Action=GetSessionToken&Version=2011-06-15"); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "<Code>UnknownOperationException</Code>") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func get(m http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestErrorsHaveTheirStatus(t *testing.T) {
	for _, c := range []struct {
		err     error
		code    string
		status  int
		message string
	}{
		{&ecstypes.ClusterNotFoundException{Message: aws.String("Cluster not found.")}, "ClusterNotFoundException", 400, "Cluster not found."},
		{fmt.Errorf("describe: %w", &ecstypes.ServiceNotActiveException{}), "ServiceNotActiveException", 400, ""},
		{&ecstypes.ServerException{Message: aws.String("down")}, "ServerException", 500, "down"},
		{&smithy.GenericAPIError{Code: "Odd", Message: "\"é\"\n", Fault: smithy.FaultClient}, "Odd", 400, "\"é\"\n"},
		{&Error{Code: "Odd", Message: "m", Status: 403}, "Odd", 403, "m"},
		{errors.New("disk full"), "InternalFailure", 500, "disk full"},
		{nil, "InternalFailure", 500, "DescribeTasks gave neither an output nor an error"},
	} {
		w := postJSON(newMux(answer(nil, c.err)), "DescribeTasks", "{}")
		code, message := errorOf(t, w)
		if w.Code != c.status || code != c.code || message != c.message {
			t.Errorf("%v: %d %s %q", c.err, w.Code, code, message)
		}
	}
}

func TestPanicLeavesTheServerAlive(t *testing.T) {
	var log bytes.Buffer
	m := newMux(backend{describeTasks: func(_ context.Context, in *ecs.DescribeTasksInput) (*ecs.DescribeTasksOutput, error) {
		return &ecs.DescribeTasksOutput{Tasks: []ecstypes.Task{{TaskArn: in.Cluster, Group: aws.String(*in.Cluster)}}}, nil
	}})
	m.Log = slog.New(slog.NewTextHandler(&log, nil))
	client := ecs.NewFromConfig(serve(t, m))
	_, err := client.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{"a"}})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "InternalFailure" {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(log.String(), "nil pointer") || !strings.Contains(log.String(), "mux_test.go") {
		t.Errorf("the log does not tell where: %s", &log)
	}
	if _, err := client.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("c"), Tasks: []string{"a"}}); err != nil {
		t.Error(err)
	}
}

func TestBeforeSeesKnownCallsAndAnswersInTheirStead(t *testing.T) {
	m := newMux(answer(&ecs.DescribeTasksOutput{}, nil))
	var seen []Call
	m.Before = func(_ context.Context, c Call) error {
		seen = append(seen, c)
		return &Error{Code: "AccessDeniedException", Message: "no", Status: http.StatusBadRequest}
	}
	_, err := ecs.NewFromConfig(serve(t, m)).DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{"a"}})
	var denied *ecstypes.AccessDeniedException
	if !errors.As(err, &denied) {
		t.Errorf("got %v", err)
	}
	if w := postForm(m, "Action=AssumeRole"); !strings.Contains(w.Body.String(), "<Code>AccessDenied</Code>") || w.Header().Get("X-Amzn-Errortype") != "AccessDenied" {
		t.Errorf("got %s", w.Body)
	}
	postJSON(m, "DeleteEverything", "{}")
	if want := []Call{{"ecs", "DescribeTasks"}, {"sts", "AssumeRole"}}; fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("seen %v, want %v", seen, want)
	}
}

func TestAScopeForAnotherServiceIsRefused(t *testing.T) {
	m := newMux(answer(&ecs.DescribeTasksOutput{}, nil))
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
	r.Header.Set("X-Amz-Target", ecsService.Target+".DescribeTasks")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20261123/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=00")
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	if code, message := errorOf(t, w); w.Code != http.StatusForbidden || code != "InvalidSignatureException" || !strings.Contains(message, "'ecs'") {
		t.Errorf("%d %s: %s", w.Code, code, message)
	}
}

func TestQuery(t *testing.T) {
	m := newMux(backend{})
	for _, c := range []struct {
		name, body, code, says string
		status                 int
	}{
		{"fine", "Action=AssumeRole&Version=2011-06-15&DurationSeconds=900&RoleArn=a%3Cb", "", "<SourceIdentity>a&lt;b</SourceIdentity>", 200},
		{"modeled error keeps its name", "Action=AssumeRole", "ExpiredTokenException", "a modeled error", 400},
		{"no action", "Version=2011-06-15", "MissingAction", "", 400},
		{"no form", "Action=%zz", "MalformedQueryString", "", 400},
		{"not a number", "Action=AssumeRole&DurationSeconds=x", "MalformedQueryString", "DurationSeconds: x is not a 32-bit number", 400},
		{"not a boolean", "Action=AssumeRole&Tags.member.1=x&Tags.member.1.Key.a=b", "MalformedQueryString", "Key", 400},
		{"given twice", "Action=AssumeRole&RoleArn=a&RoleArn=b", "MalformedQueryString", "more than once", 400},
		{"too deep", "Action=AssumeRole&" + strings.Repeat("a.", 40) + "=b", "MalformedQueryString", "too deeply", 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := postForm(m, c.body)
			var parsed struct {
				XMLName xml.Name
				Error   struct{ Type, Code, Message string }
			}
			if err := xml.Unmarshal(w.Body.Bytes(), &parsed); err != nil {
				t.Fatalf("%v: %s", err, w.Body)
			}
			if w.Code != c.status || parsed.Error.Code != c.code || !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

func TestBodyIsLimited(t *testing.T) {
	m := newMux(answer(&ecs.DescribeTasksOutput{}, nil))
	w := postJSON(m, "DescribeTasks", strings.Repeat(" ", MaxBody)+"{}")
	if code, _ := errorOf(t, w); w.Code != http.StatusRequestEntityTooLarge || code != "RequestEntityTooLargeException" {
		t.Errorf("%d %s", w.Code, code)
	}
	if w := postJSON(m, "DescribeTasks", strings.Repeat(" ", MaxBody-2)+"{}"); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	r := httptest.NewRequest(http.MethodPost, "/", io.LimitReader(strings.NewReader("{}  "), 2))
	r.ContentLength = 4 // more than comes
	r.Header.Set("X-Amz-Target", ecsService.Target+".DescribeTasks")
	w = httptest.NewRecorder()
	m.ServeHTTP(w, r)
	if code, message := errorOf(t, w); w.Code != http.StatusBadRequest || code != "SerializationException" || !strings.Contains(message, "ended early") {
		t.Errorf("%d %s: %s", w.Code, code, message)
	}
}

func TestACallWhoseClientLeftIsCutOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := newMux(backend{describeTasks: func(context.Context, *ecs.DescribeTasksInput) (*ecs.DescribeTasksOutput, error) {
		cancel()
		return &ecs.DescribeTasksOutput{}, nil
	}})
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader("{}"))
	r.Header.Set("X-Amz-Target", ecsService.Target+".DescribeTasks")
	w := httptest.NewRecorder()
	defer func() {
		if p, _ := recover().(error); !errors.Is(p, http.ErrAbortHandler) {
			t.Errorf("recovered %v", p)
		}
		if w.Body.Len() > 0 {
			t.Errorf("answered %s", w.Body)
		}
	}()
	m.ServeHTTP(w, r)
}

func answerNothing[I, O any](context.Context, *I) (*O, error) { return nil, nil }

func TestHandleRefusesMistakes(t *testing.T) {
	type (
		Describe    struct{}
		Input       struct{}
		Output      struct{}
		CountInput  int
		CountOutput int
	)
	for name, handle := range map[string]func(*Mux){
		"no operation":          func(m *Mux) { m.Handle(ecsService) },
		"operation twice":       func(m *Mux) { m.Handle(ecsService, Op(backend{}.CreateService)) },
		"two operations' types": func(*Mux) { Op(answerNothing[ecs.CreateServiceInput, ecs.DeleteServiceOutput]) },
		"not an input":          func(*Mux) { Op(answerNothing[Describe, ecs.DescribeTasksOutput]) },
		"no name":               func(*Mux) { Op(answerNothing[Input, Output]) },
		"no structs":            func(*Mux) { Op(answerNothing[CountInput, CountOutput]) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it was accepted")
				}
			}()
			handle(newMux(backend{}))
		})
	}
}

func TestParseAuthorization(t *testing.T) {
	const good = "AWS4-HMAC-SHA256 Credential=AKID/20261123/us-east-1/ecs/aws4_request, SignedHeaders=host;x-amz-date, Signature=0a"
	want := Authorization{"AKID", "20261123", "us-east-1", "ecs", "host;x-amz-date", "0a"}
	for _, header := range []string{good, strings.ReplaceAll(good, ", ", ",")} {
		if got, err := ParseAuthorization(header); err != nil || got != want {
			t.Errorf("%s: %+v, %v", header, got, err)
		}
	}
	for _, header := range []string{
		"", "Basic QQ==", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 ", "AWS4-ECDSA-P256-SHA256" + good[16:],
		good + ", Signature=0b", strings.Replace(good, "Signature=0a", "Signature=", 1),
		strings.Replace(good, "/aws4_request", "/aws4", 1), strings.Replace(good, "AKID/", "AKID/x/", 1),
	} {
		if got, err := ParseAuthorization(header); err == nil {
			t.Errorf("%s: accepted as %+v", header, got)
		}
	}
}
