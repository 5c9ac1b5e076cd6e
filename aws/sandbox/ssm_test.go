package sandbox

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/smithy-go"
)

func TestParseForward(t *testing.T) {
	for name, tt := range map[string]struct {
		document   string
		parameters map[string][]string
		want       string // "host:port of local", or an error's code
	}{
		"port":          {documentPort, map[string][]string{"portNumber": {"8080"}, "localPortNumber": {"9000"}}, ":8080 of 9000"},
		"defaults":      {documentPort, nil, ":80 of 0"},
		"remote":        {documentRemoteHost, map[string][]string{"host": {"db.internal"}, "portNumber": {"5432"}}, "db.internal:5432 of 0"},
		"remote itself": {documentRemoteHost, nil, "localhost:80 of 0"},
		"host of port":  {documentPort, map[string][]string{"host": {"db.internal"}}, "InvalidParameters"},
		"no number":     {documentPort, map[string][]string{"portNumber": {"http"}}, "InvalidParameters"},
		"port 0":        {documentPort, map[string][]string{"portNumber": {"0"}}, "InvalidParameters"},
		"port too high": {documentPort, map[string][]string{"portNumber": {"65536"}}, "InvalidParameters"},
		"two ports":     {documentPort, map[string][]string{"portNumber": {"1", "2"}}, "InvalidParameters"},
		"empty list":    {documentPort, map[string][]string{"portNumber": {}}, "InvalidParameters"},
		"bad local":     {documentPort, map[string][]string{"localPortNumber": {"-1"}}, "InvalidParameters"},
		"unknown":       {"AWS-StartSSHSession", nil, "InvalidDocument"},
		"no document":   {"", nil, "UnknownOperationException"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := parseForward(tt.document, tt.parameters)
			got := fmt.Sprintf("%s:%d of %s", f.host, f.port, f.parameters["localPortNumber"])
			var api smithy.APIError
			if errors.As(err, &api) {
				got = api.ErrorCode()
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestForbiddenAddressesDoNotResolve(t *testing.T) {
	for _, host := range []string{"169.254.169.254", "169.254.169.253", "169.254.169.123", "::ffff:169.254.169.254", "fd00:ec2::254"} {
		addresses, err := forward{host: host, port: 80}.resolve(t.Context())
		if err == nil || len(addresses) > 0 {
			t.Errorf("%s resolves to %v, %v", host, addresses, err)
		}
	}
	// The metadata service of ECS is not in the agent's list.
	if addresses, err := (forward{host: "169.254.170.2", port: 80}).resolve(t.Context()); err != nil || len(addresses) != 1 {
		t.Errorf("169.254.170.2: %v, %v", addresses, err)
	}
}
