package wire

import (
	"errors"
	"fmt"
	"strings"
)

// SigningAlgorithm is the only one that is understood.
const SigningAlgorithm = "AWS4-HMAC-SHA256"

// Authorization is a parsed Authorization header of AWS Signature Version 4:
//
//	AWS4-HMAC-SHA256 Credential=ID/20261123/us-east-1/ecs/aws4_request, SignedHeaders=host;x-amz-date, Signature=0123…
//
// Source: "Create a signed AWS API request" in the AWS IAM user guide.
type Authorization struct {
	AccessKeyID   string
	Date          string // YYYYMMDD
	Region        string
	Service       string // signing name
	SignedHeaders string // lower case, separated by ";"
	Signature     string // hex
}

// ParseAuthorization reads an Authorization header. The error says which part
// is missing, in AWS's words where AWS has some.
func ParseAuthorization(header string) (Authorization, error) {
	rest, ok := strings.CutPrefix(header, SigningAlgorithm+" ")
	if !ok {
		return Authorization{}, fmt.Errorf("the Authorization header does not begin with %s", SigningAlgorithm)
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if _, twice := parts[key]; twice {
			return Authorization{}, errors.New("a part of the Authorization header is given twice")
		}
		parts[key] = value
	}
	for _, key := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parts[key] == "" {
			return Authorization{}, fmt.Errorf("the Authorization header requires '%s' parameter", key)
		}
	}
	scope := strings.Split(parts["Credential"], "/")
	const scopeParts = 5
	if len(scope) != scopeParts || scope[4] != "aws4_request" {
		return Authorization{}, errors.New("the Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/aws4_request")
	}
	return Authorization{
		AccessKeyID: scope[0], Date: scope[1], Region: scope[2], Service: scope[3],
		SignedHeaders: parts["SignedHeaders"], Signature: parts["Signature"],
	}, nil
}
