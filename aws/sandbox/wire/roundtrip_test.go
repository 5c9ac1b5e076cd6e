package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/document"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithydocument "github.com/aws/smithy-go/document"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	ecsService = Service{
		Name: "ecs", Target: "AmazonEC2ContainerServiceV20141113", LowerKeys: true,
		Unions: []any{
			(*ecstypes.DescribeGatewayConfigurationMemberHostSharedAlb)(nil),
			(*ecstypes.GatewayConfigurationMemberHostSharedAlb)(nil),
			(*ecstypes.GatewayConnectionResourcesMemberHostSharedAlb)(nil),
			(*ecstypes.GatewayInfrastructureResourcesMemberHostSharedAlb)(nil),
			(*ecstypes.GatewayRouteResourcesMemberHostSharedAlb)(nil),
			(*ecstypes.ServiceConnectContainerConfigurationMemberLogLevel)(nil),
			(*ecstypes.SharingStrategyMemberNvidiaMps)(nil),
			(*ecstypes.UpdateGatewayConfigurationMemberHostSharedAlb)(nil),
		},
		Document: func(v any) any { return document.NewLazyDocument(v) },
	}
	ssmService = Service{Name: "ssm", Target: "AmazonSSM", Unions: []any{
		(*ssmtypes.CloudConnectorConfigurationMemberAzureConfiguration)(nil),
		(*ssmtypes.ConfigurationTargetsMemberSubscriptions)(nil),
		(*ssmtypes.ExecutionInputsMemberAutomation)(nil),
		(*ssmtypes.ExecutionPreviewMemberAutomation)(nil),
		(*ssmtypes.NodeTypeMemberInstance)(nil),
	}}
	kmsService  = Service{Name: "kms", Target: "TrentService"}
	iamService  = Service{Name: "iam", Namespace: "https://iam.amazonaws.com/doc/2010-05-08/"}
	ecrService  = Service{Name: "ecr", Target: "AmazonEC2ContainerRegistry_V20150921", LowerKeys: true, Spellings: map[string]string{"Tag.Key": "Key", "Tag.Value": "Value"}}
	logsService = Service{Name: "logs", Target: "Logs_20140328", LowerKeys: true, Unions: []any{
		(*logstypes.IntegrationDetailsMemberOpenSearchIntegrationDetails)(nil),
		(*logstypes.ResourceConfigMemberOpenSearchResourceConfig)(nil),
	}}
	stsService = Service{Name: "sts", Namespace: "https://sts.amazonaws.com/doc/2011-06-15/"}
)

// serve gives an SDK configuration whose endpoint is m.
func serve(t testing.TB, m http.Handler) aws.Config {
	t.Helper()
	server := httptest.NewServer(m)
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
	})
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		HTTPClient:  &http.Client{Transport: unhurried{transport}},
	}
}

// unhurried hides the request body's WriterTo, which races with a server that
// answers fast (aws-sdk-go-v2 issues 1825 and 2737).
type unhurried struct{ *http.Transport }

func (u unhurried) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body = struct{ reader }{r.Body}
	}
	return u.Transport.RoundTrip(r)
}

type reader interface {
	Read([]byte) (int, error)
	Close() error
}

// Every operation of seven services goes through the real SDK client over HTTP,
// with every member of its input and output set, and must arrive unchanged.
func TestEveryOperationRoundTrips(t *testing.T) {
	for _, c := range []struct {
		service Service
		client  func(aws.Config) any
		leastOf int // operations that must have been tried
	}{
		{ecsService, func(c aws.Config) any { return ecs.NewFromConfig(c) }, 60},
		{ssmService, func(c aws.Config) any { return ssm.NewFromConfig(c) }, 100},
		{kmsService, func(c aws.Config) any { return kms.NewFromConfig(c) }, 45},
		{stsService, func(c aws.Config) any { return sts.NewFromConfig(c) }, 6},
		{iamService, func(c aws.Config) any { return iam.NewFromConfig(c) }, 150},
		{ecrService, func(c aws.Config) any { return ecr.NewFromConfig(c) }, 40},
		{logsService, func(c aws.Config) any { return cloudwatchlogs.NewFromConfig(c) }, 80},
	} {
		t.Run(c.service.Name, func(t *testing.T) {
			m := &Mux{}
			client := reflect.ValueOf(c.client(serve(t, m)))
			tried := 0
			for i := range client.NumMethod() {
				name, call := client.Type().Method(i).Name, client.Method(i)
				if !isClientCall(call.Type()) || untried[name] != "" {
					continue
				}
				tried++
				t.Run(name, func(t *testing.T) { roundTrip(t, m, c.service, name, call) })
			}
			if tried < c.leastOf {
				t.Errorf("tried %d operations, want at least %d", tried, c.leastOf)
			}
		})
	}
}

// untried are the operations that are left out, and why.
var untried = map[string]string{
	"AssumeRoleWithSAML":        "is not signed",
	"AssumeRoleWithWebIdentity": "is not signed",
	"GetLogObject":              "goes to a host of its own",
	"StartLiveTail":             "goes to a host of its own",
	"SimulatePrincipalPolicy":   "takes unions, which forms are not read for",
}

func isClientCall(t reflect.Type) bool {
	return t.NumIn() == 3 && t.IsVariadic() && t.NumOut() == 2 && t.In(0) == reflect.TypeFor[context.Context]()
}

func roundTrip(t *testing.T, m *Mux, s Service, name string, call reflect.Value) {
	f := filler{unions: s.Unions, inside: map[reflect.Type]int{}, documents: true}
	sent, answered := reflect.New(call.Type().In(1).Elem()), reflect.New(call.Type().Out(0).Elem())
	f.fill(sent.Elem())
	f.documents = false
	f.fill(answered.Elem())
	var arrived reflect.Value
	m.Handle(s, Operation{
		Name:  name,
		input: sent.Type().Elem(),
		run: func(_ context.Context, input any) (reflect.Value, error) {
			arrived = reflect.ValueOf(input)
			return answered, nil
		},
	})
	out := call.Call([]reflect.Value{reflect.ValueOf(t.Context()), sent})
	if err, _ := out[1].Interface().(error); err != nil {
		t.Fatal(err)
	}
	if diff := differ("input", sent.Elem(), arrived.Elem()); diff != "" {
		t.Errorf("the input did not arrive: %s", diff)
	}
	out[0].Elem().FieldByName("ResultMetadata").SetZero()
	if diff := differ("output", answered.Elem(), out[0].Elem()); diff != "" {
		t.Errorf("the output did not arrive: %s", diff)
	}
}

// filler sets every member of a value to something that is not zero.
type filler struct {
	unions    []any
	documents bool // the SDK reads those of an output into another type
	inside    map[reflect.Type]int
	made      int
}

func (f *filler) fill(v reflect.Value) {
	f.made++
	switch v.Kind() {
	case reflect.Pointer:
		if f.inside[v.Type().Elem()] == 0 { // some types contain themselves
			v.Set(reflect.New(v.Type().Elem()))
			f.fill(v.Elem())
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("%d: é ☃ <&'\"> \\ \n", f.made))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(int64(f.made))
	case reflect.Float64, reflect.Float32:
		v.SetFloat(float64(f.made) + 0.25)
	case reflect.Slice:
		f.fillSlice(v)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		element := reflect.New(v.Type().Elem()).Elem()
		f.fill(element)
		v.SetMapIndex(reflect.ValueOf("Key & One").Convert(v.Type().Key()), element)
	case reflect.Struct:
		f.fillStruct(v)
	case reflect.Interface:
		f.fillInterface(v)
	}
}

func (f *filler) fillSlice(v reflect.Value) {
	switch {
	case isBlob(v):
		v.SetBytes([]byte{0, 255, byte(f.made)})
	case f.inside[v.Type().Elem()] == 0:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(v.Index(0))
		f.fill(v.Index(1))
	}
}

func (f *filler) fillStruct(v reflect.Value) {
	if v.Type() == timeType {
		v.Set(reflect.ValueOf(time.UnixMilli(1_763_884_441_127 + int64(f.made)).UTC()))
		return
	}
	f.inside[v.Type()]++
	defer func() { f.inside[v.Type()]-- }()
	for i := range v.NumField() {
		if field := v.Type().Field(i); field.IsExported() && field.Type != metadataType {
			f.fill(v.Field(i))
		}
	}
}

func (f *filler) fillInterface(v reflect.Value) {
	if v.Type().Implements(reflect.TypeFor[smithydocument.Unmarshaler]()) {
		if f.documents {
			v.Set(reflect.ValueOf(document.NewLazyDocument(map[string]any{"list": []any{int64(1), 2.5, "three", true, nil}})))
		}
		return
	}
	for _, u := range f.unions {
		if t := reflect.TypeOf(u); t.Implements(v.Type()) {
			v.Set(reflect.New(t.Elem()))
			f.fill(v.Elem().Elem().FieldByName("Value"))
			return
		}
	}
}

// differ names the first place where two values are not the same.
func differ(path string, a, b reflect.Value) string {
	if a.Kind() == reflect.Struct && a.Type() != timeType {
		for i := range a.NumField() {
			if diff := differ(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i)); diff != "" {
				return diff
			}
		}
		return ""
	}
	if a.Kind() == reflect.Pointer && !a.IsNil() && !b.IsNil() {
		return differ(path, a.Elem(), b.Elem())
	}
	if a.Kind() == reflect.Slice && a.Len() == b.Len() {
		for i := range a.Len() {
			if diff := differ(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i)); diff != "" {
				return diff
			}
		}
		return ""
	}
	if a.CanInterface() && !reflect.DeepEqual(a.Interface(), b.Interface()) {
		return fmt.Sprintf("%s is %v, want %v", path, b, a)
	}
	return ""
}

// The error types that the SDK knows must come back by errors.As, with their
// message and whatever else they say: all of ECS, and those that the SDK reads
// from the operations that gantry calls of the other services.
func TestErrorsRoundTrip(t *testing.T) {
	startSession := func(ctx context.Context, c aws.Config) error {
		_, err := ssm.NewFromConfig(c).StartSession(ctx, &ssm.StartSessionInput{Target: aws.String("ecs:c_t_r")})
		return err
	}
	generateDataKey := func(ctx context.Context, c aws.Config) error {
		_, err := kms.NewFromConfig(c).GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: aws.String("key")})
		return err
	}
	listClusters := func(ctx context.Context, c aws.Config) error {
		_, err := ecs.NewFromConfig(c).ListClusters(ctx, nil)
		return err
	}
	for _, c := range []struct {
		service Service
		name    string
		call    func(context.Context, aws.Config) error
		errors  []smithy.APIError
	}{
		{ecsService, "ListClusters", listClusters, ecsErrors()},
		{ssmService, "StartSession", startSession, []smithy.APIError{
			&ssmtypes.InternalServerError{}, &ssmtypes.InvalidDocument{}, &ssmtypes.TargetNotConnected{},
		}},
		{kmsService, "GenerateDataKey", generateDataKey, []smithy.APIError{
			&kmstypes.DependencyTimeoutException{}, &kmstypes.DisabledException{}, &kmstypes.DryRunOperationException{},
			&kmstypes.InvalidGrantTokenException{}, &kmstypes.InvalidKeyUsageException{}, &kmstypes.KMSInternalException{},
			&kmstypes.KMSInvalidStateException{}, &kmstypes.KeyUnavailableException{}, &kmstypes.NotFoundException{},
		}},
	} {
		for _, want := range c.errors {
			t.Run(c.name+" "+want.ErrorCode(), func(t *testing.T) {
				errorRoundTrips(t, c.service, c.name, c.call, want)
			})
		}
	}
}

// ecsErrors are all errors of ECS.
func ecsErrors() []smithy.APIError {
	var all []smithy.APIError
	for _, entry := range ecs.TypeRegistry.Entries {
		if err, isError := entry.New().(smithy.APIError); isError {
			all = append(all, err)
		}
	}
	return all
}

func errorRoundTrips(t *testing.T, service Service, name string, call func(context.Context, aws.Config) error, want smithy.APIError) {
	f := filler{unions: service.Unions, inside: map[reflect.Type]int{}}
	v := reflect.ValueOf(want).Elem()
	f.fill(v)
	v.FieldByName("ErrorCodeOverride").SetZero()
	m := &Mux{}
	m.Handle(service, Operation{Name: name, input: reflect.TypeFor[struct{}](), run: func(context.Context, any) (reflect.Value, error) {
		return reflect.Value{}, fmt.Errorf("while it was tested: %w", want)
	}})
	got := reflect.New(reflect.TypeOf(want))
	if err := call(t.Context(), serve(t, m)); !errors.As(err, got.Interface()) {
		t.Fatalf("got %v, want %T", err, want)
	}
	got.Elem().Elem().FieldByName("ErrorCodeOverride").SetZero()
	if diff := differ("error", v, got.Elem().Elem()); diff != "" {
		t.Error(diff)
	}
}
