package aws

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"gantry/internal/pattern"
)

// rules are asked in this order; the first that says something is taken. What
// the transport reports comes first: where the network fails under the refresh
// of a login, it is the network that the user has to mend. What AWS answered by
// code comes before the texts that are all the SDK gives for credentials.
var rules = []func(failure) finding{
	aboutConfiguration,
	aboutNoCredentials,
	aboutSilence,
	aboutNetwork,
	aboutTLS,
	aboutLogin,
	aboutCode,
	aboutCredentials,
	aboutStatus,
}

var errNoRegion = errors.New("no region configured")

func aboutConfiguration(f failure) finding {
	var noProfile config.SharedConfigProfileNotExistError
	switch {
	case errors.Is(f.err, errNoRegion):
		return finding{ErrConfiguration, "no region is configured", "give --region, or set AWS_REGION, or add region to the profile"}
	case errors.Is(f.err, errSamePage):
		return finding{ErrUnreachable, "the endpoint never ends the list", "check the endpoint: " + f.where()}
	case errors.As(f.err, &noProfile):
		return finding{ErrConfiguration, fmt.Sprintf("there is no profile %q in the AWS configuration", noProfile.Profile), knownProfiles()}
	case f.says("not a valid URI", "Failed to parse uri", "unsupported protocol scheme", "invalid URL", "missing protocol scheme"):
		return finding{ErrConfiguration, fmt.Sprintf("the endpoint %q is not a URL", f.endpoint), "write it as http://HOST:PORT"}
	case f.says("invalid input region", "Invalid Configuration: Missing Region"):
		return finding{ErrConfiguration, fmt.Sprintf("%q is not a region", f.region), "give a region such as eu-central-1"}
	}
	return finding{}
}

func knownProfiles() string {
	names := Profiles()
	if len(names) == 0 {
		return "there are none yet: aws configure"
	}
	return "use one of: " + strings.Join(names, ", ")
}

// aboutLogin: sessions of IAM Identity Center and of `aws login` that ended.
func aboutLogin(f failure) finding {
	var sso *ssocreds.InvalidTokenError
	switch {
	case f.code == "ForbiddenException":
		return finding{} // logged in, and not allowed to take the role
	case errors.As(f.err, &sso),
		f.says("cached SSO token", "refresh SSO token", "SSO OIDC:", "SSO: GetRoleCredentials"):
		return finding{ErrCredentials, "the SSO session has ended", f.command("aws sso login")}
	case f.says("login session has expired", "please reauthenticate", "load login token"):
		return finding{ErrCredentials, "the login session has ended", f.command("aws login")}
	case f.says("MFA enabled, but TokenProvider"):
		return finding{ErrCredentials, "the profile's role wants an MFA code, which gantry does not ask for", "fetch session keys with your MFA tool first and use that profile"}
	case f.says("error in credential_process", "credential process timed out"):
		return finding{ErrCredentials, "the profile's credential_process failed", "run it by hand to see what it says"}
	}
	return finding{}
}

// command is a shell command for the profile in use.
func (f failure) command(name string) string {
	if f.profile == "" || f.profile == "env" || f.profile == "default" {
		return name
	}
	return name + " --profile " + f.profile
}

// aboutCode: errors that AWS itself sent.
func aboutCode(f failure) finding {
	switch code := f.code; {
	case code == "":
		return finding{}
	case oneOf(code, "ExpiredToken", "ExpiredTokenException", "RequestExpired"):
		return finding{ErrCredentials, "the session token has expired", f.renew()}
	case oneOf(code, "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "InvalidToken"):
		return f.unknownKey()
	case oneOf(code, "SignatureDoesNotMatch", "InvalidSignatureException", "RequestTimeTooSkewed", "IncompleteSignature"):
		return f.badSignature()
	case strings.Contains(code, "Throttl") || oneOf(code, "RequestLimitExceeded", "TooManyRequestsException", "SlowDown"):
		return finding{ErrThrottled, "AWS is throttling these calls in this account and region, retries included", "wait a little; other tools share the same limit"}
	case oneOf(code, "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "UnauthorizedException", "ForbiddenException"):
		return f.denied()
	case oneOf(code, "UnknownOperationException", "InvalidAction", "UnsupportedOperationException"):
		return f.unsupported()
	}
	for _, rule := range []func(failure) finding{failure.aboutRegistry, failure.aboutDeployment, failure.aboutResource} {
		if found := rule(f); found.kind != nil {
			return found
		}
	}
	if f.status >= http.StatusInternalServerError || oneOf(f.code, "ServerException", "InternalFailure", "InternalServerError", "ServiceUnavailable") {
		return finding{ErrUnreachable, "AWS had an internal error: " + f.fallback(), "try again; see the AWS Health Dashboard if it stays"}
	}
	return finding{ErrRefused, f.fallback(), ""}
}

// aboutResource: what the call names does not exist or is in no state for it.
func (f failure) aboutResource() finding {
	switch f.code {
	case "ClusterNotFoundException":
		return finding{ErrNotFound, "there is no such cluster in " + f.place(), "check its name, the region and the profile"}
	case "ServiceNotFoundException":
		return finding{ErrNotFound, "there is no such service in the cluster", "it may have been deleted: refresh"}
	case "ServiceNotActiveException":
		return finding{ErrNotFound, "the service is not active: it is being deleted or was", "refresh, or create it anew"}
	case "DoesNotExistException":
		return finding{ErrNotFound, "the session has ended", "open a new one"}
	case "TargetNotConnectedException", "TargetNotConnected":
		return finding{
			ErrNotConnected, "the exec agent in the container does not answer",
			"if the task started just now, try again; else check the task role's ssmmessages permissions and the route to ssmmessages",
		}
	case "InvalidParameterException", "ClientException":
		return f.aboutParameter()
	}
	return finding{}
}

// aboutParameter: texts that are all AWS gives for quite different causes.
func (f failure) aboutParameter() finding {
	switch {
	case f.says("execute command was not enabled", "execute command agent isn"):
		return finding{ErrNotConnected, "exec was off when the task started, or its agent does not run", "enable exec on the service: it starts new tasks"}
	case f.says("valid taskRoleArn"):
		return finding{ErrRefused, "exec needs a task role and the task definition has none", "register a revision with a taskRoleArn and deploy it"}
	case f.says("task was not found", "TaskNotFound", "Unable to find task"):
		return finding{ErrNotFound, "there is no such task in the cluster any more", "refresh"}
	}
	return finding{ErrRefused, f.fallback(), ""}
}

func (f failure) place() string {
	if f.region == "" {
		return "this region"
	}
	return f.region
}

func (f failure) renew() string {
	switch f.profile {
	case "", "env":
		return "put fresh keys into the environment"
	}
	return f.command("aws sso login") + ", or renew the keys of the profile"
}

func (f failure) unknownKey() finding {
	if f.endpoint != "" {
		return finding{ErrCredentials, f.endpoint + " does not know this access key", `it was started anew, perhaps: eval "$(gantry sandbox env)"`}
	}
	return finding{ErrCredentials, "AWS does not know this access key in " + f.place(), "check the keys of profile " + f.profile + ", and that the region is enabled in the account"}
}

func (f failure) badSignature() finding {
	if f.code == "RequestTimeTooSkewed" || strings.Contains(f.message, "Signature expired") || strings.Contains(f.message, "not yet current") {
		return finding{ErrCredentials, "the clock of this machine is off by more than five minutes", "set the clock (timedatectl set-ntp true)"}
	}
	return finding{ErrCredentials, "the secret key does not belong to the access key", "check both keys of the profile or the environment"}
}

// denial finds action, resource and reason in IAM's text: "User: … is not
// authorized to perform: ecs:StopTask on resource: arn:… because no …".
var denial = pattern.Late(`not authorized to perform: ([\w-]+:[\w*]+)(?: on resource: (\S+))?(?: (?:because|with) (.+))?`)

func (f failure) denied() finding {
	action, resource, reason := f.action(), "*", ""
	if m := denial().FindStringSubmatch(f.message); m != nil {
		action, reason = m[1], m[3]
		if m[2] != "" {
			resource = strings.TrimRight(m[2], ".")
		}
	}
	cause := "no permission for " + action
	if resource != "*" {
		cause += " on " + resource
	}
	if strings.Contains(reason, "explicit deny") || strings.Contains(f.message, "explicit deny") {
		return finding{ErrDenied, cause + ": a policy denies it explicitly", "ask whoever keeps that policy (a service control policy or permissions boundary may be it)"}
	}
	return finding{ErrDenied, cause, fmt.Sprintf(`needs the policy statement {"Effect":"Allow","Action":%q,"Resource":%q}`, action, resource)}
}

// action is the IAM action of the operation that failed.
func (f failure) action() string {
	if f.operation == "" {
		return "this call"
	}
	if f.service == cloudwatchlogs.ServiceID {
		return "logs:" + f.operation
	}
	return strings.ToLower(f.service) + ":" + f.operation
}

func (f failure) unsupported() finding {
	if f.endpoint != "" {
		return finding{ErrUnsupported, f.action() + " is not emulated by the sandbox", "use a real account for it"}
	}
	return finding{ErrUnsupported, f.action() + " is not known in " + f.place(), "check the region"}
}

func aboutSilence(f failure) finding {
	var s *silence
	if errors.As(f.err, &s) {
		return finding{ErrUnreachable, fmt.Sprintf("%s did not answer within %s", f.where(), s.after), "check the network, the proxy or the VPN"}
	}
	if errors.Is(f.err, context.DeadlineExceeded) || f.says("would exceed context deadline") {
		return finding{ErrUnreachable, f.where() + " did not answer in time", "check the network, the proxy or the VPN"}
	}
	return finding{}
}

func aboutNetwork(f failure) finding {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case refused(f.err):
		return finding{ErrUnreachable, "nothing listens at " + f.where(), f.startIt()}
	case errors.As(f.err, &dns):
		return finding{ErrUnreachable, "the name " + clean(dns.Name) + " cannot be resolved", "check the network, and that the region is spelt right"}
	case errors.As(f.err, &op) && op.Op == "proxyconnect":
		return finding{ErrUnreachable, "the proxy cannot be reached", "check HTTPS_PROXY and NO_PROXY"}
	case errors.Is(f.err, syscall.ENETUNREACH), errors.Is(f.err, syscall.EHOSTUNREACH):
		return finding{ErrUnreachable, "there is no route to " + f.where(), "check the network or the VPN"}
	case errors.Is(f.err, syscall.ECONNRESET), errors.As(f.err, &op) && op.Timeout():
		return finding{ErrUnreachable, "the connection to " + f.where() + " broke", "check the network, the proxy or the VPN"}
	}
	return finding{}
}

// refused reports whether nothing listened at the address. Windows has an error
// number of its own for it that package syscall does not name.
func refused(err error) bool {
	var op *net.OpError
	return errors.Is(err, syscall.ECONNREFUSED) ||
		(errors.As(err, &op) && op.Op == "dial" && strings.Contains(op.Err.Error(), "refused"))
}

func (f failure) startIt() string {
	if f.endpoint != "" {
		return "start it (gantry sandbox), or unset AWS_ENDPOINT_URL for AWS itself"
	}
	return "check the network and the proxy"
}

func aboutTLS(f failure) finding {
	var unknown x509.UnknownAuthorityError
	var verify *tls.CertificateVerificationError
	var name x509.HostnameError
	var record tls.RecordHeaderError
	switch {
	case errors.As(f.err, &name):
		return finding{ErrUnreachable, "the certificate of " + f.where() + " is for another name", "check the endpoint and the proxy"}
	case errors.As(f.err, &unknown), errors.As(f.err, &verify):
		return finding{ErrUnreachable, "the certificate of " + f.where() + " is not trusted here", "behind an inspecting proxy, set AWS_CA_BUNDLE to its root"}
	case errors.As(f.err, &record), f.says("server gave HTTP response to HTTPS client"):
		return finding{ErrUnreachable, f.where() + " does not speak TLS", "write the endpoint with http://"}
	}
	return finding{}
}

// aboutNoCredentials: the SDK came to its last source, the metadata of an EC2
// instance. Asked before the network, since nobody meant to call that address.
func aboutNoCredentials(f failure) finding {
	if !f.says("no EC2 IMDS role found", "static credentials are empty") {
		return finding{}
	}
	return finding{ErrCredentials, "there are no AWS credentials", "aws configure, aws sso login, or a profile with --profile; or try gantry --sandbox"}
}

// aboutCredentials: a source of credentials was found and failed.
func aboutCredentials(f failure) finding {
	if !f.says("get credentials:", "failed to refresh cached credentials") {
		return finding{}
	}
	return finding{ErrCredentials, "the credentials of profile " + f.profile + " could not be had: " + clean(innermost(f.err).Error()), f.command("aws sts get-caller-identity") + " tells more"}
}

// aboutStatus: an answer that is not in AWS's form, as proxies and emulators
// give. The SDK calls it a failed deserialization.
func aboutStatus(f failure) finding {
	switch s := f.status; {
	case s == 0:
		return finding{}
	case s == http.StatusNotImplemented || s == http.StatusNotFound || s == http.StatusMethodNotAllowed:
		return finding{ErrUnsupported, fmt.Sprintf("%s answered HTTP %d, not in AWS's form", f.where(), s), "check that the endpoint is an AWS one"}
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		return finding{ErrDenied, fmt.Sprintf("no permission: HTTP %d, from a proxy or firewall rather than AWS", s), "check the proxy and the endpoint policy"}
	case s == http.StatusProxyAuthRequired:
		return finding{ErrUnreachable, "the proxy wants a login", "put user and password into HTTPS_PROXY"}
	case s == http.StatusTooManyRequests:
		return finding{ErrThrottled, "too many calls: HTTP 429", "wait a little"}
	case s >= http.StatusInternalServerError:
		return finding{ErrUnreachable, fmt.Sprintf("not available: HTTP %d, from a proxy or load balancer rather than AWS", s), "try again; check the proxy and the endpoint"}
	}
	return finding{ErrUnreachable, fmt.Sprintf("the answer (HTTP %d) is not in AWS's form", f.status), "check the endpoint and the proxy: " + f.where()}
}

func oneOf(s string, list ...string) bool {
	for _, l := range list {
		if s == l {
			return true
		}
	}
	return false
}
