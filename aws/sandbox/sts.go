package sandbox

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"gantry/aws/sandbox/wire"
)

// userARN is the one identity that calls the sandbox.
const userARN = "arn:aws:iam::" + account + ":user/sandbox"

// userID has the shape of an IAM user's unique id: AIDA and 17 characters.
const userID = "AIDASANDBOX0000000000"

// stsBackend is AWS STS, as far as asking who one is.
type stsBackend struct{}

func (s stsBackend) operations() []wire.Operation {
	return []wire.Operation{wire.Op(s.GetCallerIdentity)}
}

// GetCallerIdentity names the account and the user that the key belongs to.
func (stsBackend) GetCallerIdentity(context.Context, *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	return &sts.GetCallerIdentityOutput{
		Account: aws.String(account),
		Arn:     aws.String(userARN),
		UserId:  aws.String(userID),
	}, nil
}
