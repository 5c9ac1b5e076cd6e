package aws

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Whatever a registration can say and a definition has is copied. A field that
// the SDK gets later fails this until registration knows it.
func TestRegistrationCopiesEverything(t *testing.T) {
	var from types.TaskDefinition
	fill(t, reflect.ValueOf(&from).Elem(), 3)
	tags := []types.Tag{{Key: sdk.String("team"), Value: sdk.String("shop")}, {Key: sdk.String("aws:x"), Value: sdk.String("y")}}
	in := reflect.ValueOf(registration(&from, tags)).Elem()
	for i := range in.NumField() {
		field := in.Type().Field(i)
		switch {
		case !field.IsExported():
		case field.Name == "Tags":
			if got, ok := in.Field(i).Interface().([]types.Tag); !ok || len(got) != 1 || *got[0].Key != "team" {
				t.Errorf("tags %+v", in.Field(i))
			}
		default:
			had := reflect.ValueOf(from).FieldByName(field.Name)
			if !had.IsValid() || had.IsZero() || !reflect.DeepEqual(had.Interface(), in.Field(i).Interface()) {
				t.Errorf("%s is not copied", field.Name)
			}
		}
	}
	// The other way round: what only a description has, it has by itself.
	own := map[string]bool{
		"Compatibilities": true, "DeleteRequestedAt": true, "DeregisteredAt": true, "RegisteredAt": true, "RegisteredBy": true,
		"RequiresAttributes": true, "Revision": true, "Status": true, "TaskDefinitionArn": true,
	}
	for field := range reflect.TypeFor[types.TaskDefinition]().Fields() {
		if _, ok := reflect.TypeFor[ecs.RegisterTaskDefinitionInput]().FieldByName(field.Name); !ok && !own[field.Name] && field.IsExported() {
			t.Errorf("a definition has %s, which no registration takes", field.Name)
		}
	}
	if got := registration(&types.TaskDefinition{}, nil); got.Tags != nil {
		t.Error("an empty list of tags would be refused")
	}
}

// fill sets every field to something.
func fill(t *testing.T, v reflect.Value, depth int) {
	t.Helper()
	if !v.CanSet() || depth == 0 {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), depth)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), depth-1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0), depth)
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(7)
	}
}

func TestTrustsTasks(t *testing.T) {
	for policy, want := range map[string]bool{
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`:                                                                 true,
		`%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22ecs-tasks.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D`: true,
		`{"Statement":{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com","ecs-tasks.amazonaws.com"]},"Action":["sts:TagSession","sts:AssumeRole"]}}`:                          true,
		`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:*"}]}`:                                                                                                            true,
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"ecs.amazonaws.com"},"Action":"sts:AssumeRole"}]}`:                                                                       false,
		`{"Statement":[{"Effect":"Deny","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`:                                                                  false,
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":"sts:AssumeRole"}]}`:                                                                         false,
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:TagSession"}]}`:                                                                 false,
		`{"Statement":7}`: false, `%`: false, ``: false, `[]`: false,
	} {
		if got := trustsTasks(policy); got != want {
			t.Errorf("%s: %v", policy, got)
		}
	}
}

func TestDefinitionPlatforms(t *testing.T) {
	for _, tt := range []struct {
		name string
		from *types.RuntimePlatform
		want string
	}{
		{"none", nil, "linux/amd64"},
		{"empty", &types.RuntimePlatform{}, "linux/amd64"},
		{"Graviton", &types.RuntimePlatform{OperatingSystemFamily: types.OSFamilyLinux, CpuArchitecture: types.CPUArchitectureArm64}, "linux/arm64"},
		{"Windows", &types.RuntimePlatform{OperatingSystemFamily: types.OSFamilyWindowsServer2022Full}, "windows/amd64"},
	} {
		if got := platformOf(tt.from); got != tt.want {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
	for _, platform := range []string{"linux/amd64", "linux/arm64", "windows/amd64"} {
		p, err := runtimePlatform("", platform)
		if err != nil || platformOf(p) != platform {
			t.Errorf("%s became %+v, %v", platform, p, err)
		}
	}
}

// The texts are AWS's own.
func TestErrorsOfDeployments(t *testing.T) {
	register := func(c *Client) error {
		_, err := c.RegisterDefinition(t.Context(), Scope{}, NewDefinition{Family: "web"})
		return err
	}
	create := func(c *Client) error {
		_, err := c.CreateService(t.Context(), Scope{}, NewService{Name: "web", Subnets: []string{"subnet-1"}})
		return err
	}
	deploy := func(c *Client) error {
		_, err := c.Deploy(t.Context(), Service{Name: "web"}, "web:9")
		return err
	}
	createRepository := func(c *Client) error {
		_, err := c.CreateRepository(t.Context(), NewRepository{Name: "web"})
		return err
	}
	deleteRepository := func(c *Client) error {
		return c.DeleteRepository(t.Context(), Repository{Name: "web"}, RepositoryRemoval{})
	}
	for _, tt := range []struct {
		name          string
		call          func(*Client) error
		code, message string
		kind          error
		cause, do     string
	}{
		{"execution role, image", register, "ClientException", "Fargate requires task definition to have execution role ARN to support ECR images.", ErrRefused, "Fargate needs an execution role for ECR images", "ecsTaskExecutionRole"},
		{"execution role, logs", register, "ClientException", "Fargate requires task definition to have execution role ARN to support log driver awslogs.", ErrRefused, "for log driver awslogs", ""},
		{"size", register, "ClientException", "No Fargate configuration exists for given values: 256 CPU, 4096 memory. See the Amazon ECS documentation for the valid values.", ErrRefused, "256 CPU, 4096 memory", "512 to 2048"},
		{"role", register, "ClientException", "Role is not valid", ErrRefused, "ECS may not take the role", "iam:PassRole"},
		{"pass role", register, "AccessDeniedException", "User: arn:aws:iam::1:user/ann is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/ecsTaskExecutionRole because no identity-based policy allows the iam:PassRole action", ErrDenied, "no permission for iam:PassRole on arn:aws:iam::1:role/ecsTaskExecutionRole", `"Action":"iam:PassRole"`},
		{"anything", register, "ClientException", "Container.image repository should not be null or empty.", ErrRefused, "Container.image", "correct the task definition"},
		{"linked role", create, "InvalidParameterException", "Unable to assume the service linked role. Please verify that the ECS service linked role exists.", ErrRefused, "service-linked role", "create-service-linked-role"},
		{"assume", create, "InvalidParameterException", "Unable to assume role and validate the specified targetGroupArn.", ErrRefused, "ECS may not take the role: Unable to assume", "trust policy"},
		{"there already", create, "InvalidParameterException", "Creation of service was not idempotent.", ErrExists, "a service of this name", "deploy to it"},
		{"subnet", create, "InvalidParameterException", "Error retrieving subnet information for [subnet-1]: The subnet ID 'subnet-1' does not exist (ErrorCode: InvalidSubnetID.NotFound)", ErrNotFound, "a subnet does not exist in us-east-1", "choose subnets"},
		{"group", create, "InvalidParameterException", "Error retrieving security group information for [sg-1]: The security group 'sg-1' does not exist (ErrorCode: InvalidGroup.NotFound)", ErrNotFound, "a security group does not exist", "choose groups"},
		{"platform", create, "PlatformTaskDefinitionIncompatibilityException", "", ErrRefused, "this version of the Fargate platform", "LATEST"},
		{"no platform", create, "PlatformUnknownException", "", ErrRefused, "no such version", "LATEST"},
		{"quota", create, "LimitExceededException", "The limit for services has been exceeded", ErrRefused, "a quota of the account is reached: The limit", "Service Quotas"},
		{"no definition", deploy, "ClientException", "TaskDefinition not found.", ErrNotFound, "no such task definition", "family and revision"},
		{"deregistered", deploy, "ClientException", "TaskDefinition is inactive", ErrRefused, "deregistered", "active revision"},
		{"not active", deploy, "ServiceNotActiveException", "Service was not ACTIVE.", ErrNotFound, "not active", "create it anew"},
		{"CodeDeploy", deploy, "InvalidParameterException", "Unable to update task definition on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.", ErrRefused, "deployed by CodeDeploy", "there"},
		{"exec role", deploy, "InvalidParameterException", "The service couldn't be updated because a valid taskRoleArn is not being used. Specify a valid task role in your task definition and try again.", ErrRefused, "exec needs a task role", "taskRoleArn"},
		{"repository there", createRepository, "RepositoryAlreadyExistsException", "The repository with name 'web' already exists in the registry with id '1'", ErrExists, "a repository of this name", "another name"},
		{"repository name", createRepository, "InvalidParameterException", "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression ...'", ErrRefused, "no name for a repository", "lower-case"},
		{"key", createRepository, "KmsException", "The key is disabled", ErrRefused, "KMS key cannot be used: The key is disabled", "policy of the key"},
		{"repository gone", deleteRepository, "RepositoryNotFoundException", "The repository with name 'web' does not exist in the registry with id '1'", ErrNotFound, "no such repository in the registry of us-east-1", "create it"},
		{"repository full", deleteRepository, "RepositoryNotEmptyException", "", ErrRefused, "holds images", "with its images"},
		{"tag", deleteRepository, "ImageTagAlreadyExistsException", "", ErrRefused, "do not move", "new tag"},
		{"image gone", deleteRepository, "ImageNotFoundException", "", ErrNotFound, "no such image", "refresh"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := answering(t, Options{}, failing(http.StatusBadRequest, tt.code, tt.message))
			d := explained(t, tt.call(c), tt.kind)
			if !strings.Contains(d.Cause, tt.cause) || !strings.Contains(d.Do, tt.do) {
				t.Errorf("got cause %q, do %q; want %q and %q in them", d.Cause, d.Do, tt.cause, tt.do)
			}
		})
	}
}

func TestRegistryLoginPrintsNoPassword(t *testing.T) {
	l := RegistryLogin{Host: "reg.local", Username: "AWS", Password: "open sesame"}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("login", "it", l, "at", &l)
	printed := []string{log.String(), fmt.Sprintf("%v %+v %#v %s %q", l, l, l, l, l), fmt.Sprintf("%+v", struct{ L RegistryLogin }{l})}
	for _, text := range printed {
		if strings.Contains(text, "sesame") || !strings.Contains(text, "reg.local") {
			t.Errorf("printed as %s", text)
		}
	}
}

// A login is renewed ten minutes before its end, and nothing of an odd answer
// is repeated.
func TestRegistryLoginRenewal(t *testing.T) {
	answerOf := func(left time.Duration) string {
		return fmt.Sprintf(`{"authorizationData":[{"authorizationToken":%q,"expiresAt":%d,"proxyEndpoint":"https://1.dkr.ecr.eu-west-1.amazonaws.com"}]}`,
			base64.StdEncoding.EncodeToString([]byte("AWS:open:sesame")), time.Now().Add(left).Unix())
	}
	for _, tt := range []struct {
		left  time.Duration
		calls int
	}{{12 * time.Hour, 1}, {9 * time.Minute, 3}, {-time.Minute, 3}} {
		calls := 0
		c := answering(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
			calls++
			fmt.Fprint(w, answerOf(tt.left))
		})
		for range 3 {
			l, err := c.RegistryLogin(t.Context(), Scope{})
			if err != nil || l.Password != "open:sesame" || l.Username != "AWS" || l.Host != "1.dkr.ecr.eu-west-1.amazonaws.com" {
				t.Errorf("%v: %v", l, err)
			}
		}
		if calls != tt.calls {
			t.Errorf("%s left: %d calls, want %d", tt.left, calls, tt.calls)
		}
	}
	secret := base64.StdEncoding.EncodeToString([]byte("open sesame"))
	for _, body := range []string{
		`{}`, `{"authorizationData":[{"authorizationToken":"` + secret + `","proxyEndpoint":"https://x"}]}`,
		`{"authorizationData":[{"authorizationToken":"` + secret + `!","proxyEndpoint":"https://x"}]}`,
		`{"authorizationData":[{"authorizationToken":"QVdTOng=","proxyEndpoint":"` + secret + `"}]}`,
	} {
		c := answering(t, Options{}, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
		_, err := c.RegistryLogin(t.Context(), Scope{})
		_ = explained(t, err, ErrRefused)
		if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "sesame") {
			t.Errorf("the error repeats the answer: %v", err)
		}
	}
}
