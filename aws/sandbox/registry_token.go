package sandbox

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

const (
	registryUser = "AWS"
	// loginLife is how long a registry token works, as at ECR.
	loginLife = 12 * time.Hour
	loginName = "registry login"
)

// GetAuthorizationToken gives a login for the registry, in the form that a
// docker configuration has it: base64 of USER:PASSWORD.
func (b *ecrBackend) GetAuthorizationToken(context.Context, *ecr.GetAuthorizationTokenInput) (*ecr.GetAuthorizationTokenOutput, error) {
	password, expires := b.newLogin()
	return &ecr.GetAuthorizationTokenOutput{AuthorizationData: []types.AuthorizationData{{
		AuthorizationToken: aws.String(base64.StdEncoding.EncodeToString([]byte(registryUser + ":" + password))),
		ExpiresAt:          aws.Time(expires),
		ProxyEndpoint:      aws.String("http://" + b.host),
	}}}, nil
}

func (b *ecrBackend) newLogin() (password string, expires time.Time) {
	expires = b.clock.Now().Add(loginLife).Truncate(time.Second)
	return b.login.close(loginName, uint64(expires.Unix())), expires //nolint:gosec // a time after 1970
}

// loginState is what a password is worth.
type loginState int

const (
	loginInvalid loginState = iota
	loginExpired
	loginValid
)

func (b *ecrBackend) judge(user, password string) loginState {
	ends, ours := b.login.open(loginName, password)
	switch {
	case !ours || user != registryUser:
		return loginInvalid
	case b.clock.Now().Unix() >= int64(ends): //nolint:gosec // our own number
		return loginExpired
	default:
		return loginValid
	}
}
