package sandbox

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// isResourceName reports whether ECS allows a name for a cluster, service,
// family or container: up to 255 letters, digits, hyphens and underscores.
func isResourceName(name string) bool {
	const longest = 255
	foreign := func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !letter && (r < '0' || r > '9') && r != '-' && r != '_'
	}
	return name != "" && len(name) <= longest && !strings.ContainsFunc(name, foreign)
}

// arn is the ARN of an ECS resource in the long format ("service/shop/web").
func (b *ecsBackend) arn(kind string, path ...string) string {
	return "arn:aws:ecs:" + b.region + ":" + b.account + ":" + kind + "/" + strings.Join(path, "/")
}

// resource splits an ECS ARN into its kind and path; ok is false if ref is
// none, or one of another account or region.
func (b *ecsBackend) resource(ref string) (kind string, path []string, ok bool) {
	rest, ok := strings.CutPrefix(ref, "arn:aws:ecs:"+b.region+":"+b.account+":")
	if !ok {
		return "", nil, false
	}
	parts := strings.Split(rest, "/")
	kind = parts[0]
	if colon := strings.IndexByte(kind, ':'); colon >= 0 {
		return "", nil, false
	}
	return kind, parts[1:], len(parts) > 1
}

func isARN(ref string) bool { return strings.HasPrefix(ref, "arn:") }

// splitRevision splits "web:7" into its parts; revision is 0 for a family alone.
func splitRevision(ref string) (family string, revision int32, err error) {
	family, text, found := strings.Cut(ref, ":")
	if !found {
		return family, 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 {
		return "", 0, fmt.Errorf("revision %q is not a positive number", text)
	}
	return family, int32(n), nil
}

// hexID is n random hexadecimal digits, as task ids and interface ids are made.
func hexID(n int) string {
	raw := make([]byte, (n+1)/2)
	_, _ = rand.Read(raw) // it never returns an error
	return hex.EncodeToString(raw)[:n]
}

// deploymentID is made as ECS does: "ecs-svc/" and 19 digits.
func deploymentID() string {
	raw := make([]byte, 19)
	_, _ = rand.Read(raw) // it never returns an error
	for i, r := range raw {
		raw[i] = '0' + r%10
	}
	raw[0] = '1' + raw[0]%9
	return "ecs-svc/" + string(raw)
}
