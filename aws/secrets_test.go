package aws

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"gantry/internal/secret"
)

func TestDocumentsMaskSecrets(t *testing.T) {
	definition := types.TaskDefinition{
		Family:       sdk.String("web"),
		RegisteredAt: sdk.Time(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)),
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: sdk.String("app"),
			Environment: []types.KeyValuePair{
				{Name: sdk.String("PORT"), Value: sdk.String("8080")},
				{Name: sdk.String("DB_PASSWORD"), Value: sdk.String("hunter2-env")},
				{Name: sdk.String("DATABASE"), Value: sdk.String("postgres://app:hunter2-url@db/shop")},
				{Name: sdk.String("CONN"), Value: sdk.String("Server=db;Password=hunter2-conn;")},
				{Name: sdk.String("PLAIN"), Value: sdk.String("https://example.com/a@b")},
			},
			Secrets:      []types.Secret{{Name: sdk.String("API_TOKEN"), ValueFrom: sdk.String("arn:aws:ssm:r:1:parameter/token")}},
			DockerLabels: map[string]string{"team": "shop", "api-token": "hunter2-label"},
			LogConfiguration: &types.LogConfiguration{
				LogDriver: types.LogDriverSplunk,
				Options:   map[string]string{"splunk-token": "hunter2-log", "splunk-url": "https://splunk"},
			},
			Command: []string{"serve", "--password", "hunter2-flag", "--token=hunter2-equals", "--port=80", "DB_PASSWORD=hunter2-shell exec app"},
		}},
	}
	text, err := json.MarshalIndent(document(definition), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "hunter2") {
		t.Errorf("a secret shows:\n%s", text)
	}
	for _, kept := range []string{
		`"8080"`, `"https://example.com/a@b"`, `"arn:aws:ssm:r:1:parameter/token"`, `"shop"`, `"https://splunk"`, `"--port=80"`, `"serve"`,
		`"2026-03-04T05:06:07Z"`, `"cpu": 0`, `"containerDefinitions"`, "--token=" + secret.Masked,
	} {
		if !strings.Contains(string(text), kept) {
			t.Errorf("%s is missing:\n%s", kept, text)
		}
	}
	if strings.Contains(string(text), "etadata") {
		t.Error("the SDK's metadata shows")
	}
}

func TestDocumentSendsZeros(t *testing.T) {
	doc := document(types.Service{ServiceName: sdk.String("web"), Events: []types.ServiceEvent{}}).(map[string]any)
	if doc["runningCount"] != int64(0) || doc["enableExecuteCommand"] != false || doc["events"] == nil {
		t.Errorf("got %v", doc)
	}
	if _, set := doc["launchType"]; set {
		t.Error("an enumeration that was not sent is in the document")
	}
}
