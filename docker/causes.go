package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/containerd/errdefs"

	"gantry/internal/pattern"
)

// rules name the cause of a failure; the first that knows it wins, so the
// special ones stand before the general ones.
var rules = []func(failure) finding{
	wrongContext, wrongHost, tlsRefused, sshFailed, unreachable,
	oldVersion, portTaken, nameTaken, imageGone, badCommand, badVolume, notAttached, unavailable,
	missing, conflicting, invalid,
}

func wrongContext(f failure) finding {
	var e *contextError
	if !errors.As(f.err, &e) {
		return finding{}
	}
	found := finding{kind: ErrContext, cause: fmt.Sprintf("docker context %q cannot be read: %s", e.name, words(e.err))}
	if errdefs.IsNotFound(e.err) {
		found.cause = fmt.Sprintf("there is no docker context %q", e.name)
	}
	switch e.source {
	case sourceContextEnv:
		found.do = "unset DOCKER_CONTEXT, or set it to one that `docker context ls` shows"
	case sourceCurrentContext:
		found.do = "docker context use default"
	default:
		found.do = "choose one that `docker context ls` shows"
	}
	return found
}

func wrongHost(f failure) finding {
	var e *hostError
	if !errors.As(f.err, &e) {
		return finding{}
	}
	return finding{
		kind:  ErrContext,
		cause: fmt.Sprintf("%s is %q, which is no address of an engine", e.source, clean(e.address)),
		do:    "write it as unix:///path, tcp://host:port or ssh://user@host",
	}
}

func tlsRefused(f failure) finding {
	var e *tlsError
	switch {
	case errors.As(f.err, &e) && errors.Is(f.err, fs.ErrNotExist):
		return finding{ErrTLS, "a TLS file is missing: " + words(e.err), "set DOCKER_CERT_PATH to the directory with ca.pem, cert.pem and key.pem"}
	case errors.As(f.err, &e):
		return finding{ErrTLS, words(e.err), "replace the certificate files of the context or of DOCKER_CERT_PATH"}
	case f.says("http request to an https server", "tls-enabled daemon without tls"):
		return finding{ErrTLS, "the engine at " + f.at.Host + " wants TLS", "set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or use a context with certificates"}
	case !f.disconnected():
		return finding{} // the engine's own words, about a registry's certificate perhaps
	case f.says("http response to https client"):
		return finding{ErrTLS, "the engine at " + f.at.Host + " does not speak TLS", "unset DOCKER_TLS_VERIFY and DOCKER_TLS"}
	case f.says("certificate", "tls:", "x509:", "handshake failure"):
		return finding{ErrTLS, words(f.err), "compare the certificates in DOCKER_CERT_PATH or the context with the engine's"}
	}
	return finding{}
}

func sshFailed(f failure) finding {
	if !isSSH(f.at.Host) || !f.says("dial-stdio") && !f.disconnected() {
		return finding{}
	}
	target := strings.TrimPrefix(f.at.Host, "ssh://")
	switch {
	case f.says("permission denied while trying to connect", "permission denied (publickey", "permission denied, please"):
		return finding{ErrSSH, "ssh to " + target + " was refused", "load the key with ssh-add, then try: ssh " + f.at.Host + " docker version"}
	case f.says("host key verification failed"):
		return finding{ErrSSH, "the host key of " + target + " is not known", "accept it once: ssh " + f.at.Host}
	case f.says("command not found", "docker: not found"):
		return finding{ErrSSH, "there is no docker command on " + target, "install the docker command there"}
	case f.says("executable file not found"):
		return finding{ErrSSH, "there is no ssh command here", "install an ssh client"}
	}
	return finding{ErrSSH, "ssh to " + target + " failed: " + sshWords(f.err), "try: ssh " + f.at.Host + " docker version"}
}

// sshWords is what ssh itself has said, without the command line and the advice
// that the dialer puts before it.
func sshWords(err error) string {
	if _, said, found := strings.Cut(err.Error(), "stderr="); found && said != "" {
		return clean(said)
	}
	return words(err)
}

// broken reports whether a connection ended under a call.
func broken(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// unreachable looks at the endpoint itself: the client's text hides what the
// system has said.
func unreachable(f failure) finding {
	if !f.disconnected() {
		return finding{}
	}
	if errors.Is(f.err, context.DeadlineExceeded) {
		return finding{ErrStopped, "no answer from " + f.at.Host + " in time", "see whether the engine is stuck: docker info"}
	}
	if isLocal(f.at.Host) {
		return f.at.inspectSocket()
	}
	var dns *net.DNSError
	if errors.As(f.err, &dns) {
		return finding{ErrNoEngine, "no such host: " + clean(dns.Name), "check DOCKER_HOST or the docker context"}
	}
	return finding{ErrStopped, "no engine answers at " + f.at.Host, f.at.restart()}
}

// oldVersion knows the refusals of engines 20.10 ("client version 1.56 is too
// new. Maximum supported API version is 1.41") and 29 ("client version 1.25 is
// too old. Minimum supported API version is 1.44"), and the client's own.
func oldVersion(f failure) finding {
	switch {
	case f.says("invalid api version"):
		return finding{ErrVersion, words(f.err), "unset DOCKER_API_VERSION"}
	case f.says("is too new. maximum supported", "is not supported by this client: the minimum supported"):
		return finding{ErrVersion, words(f.err), "unset DOCKER_API_VERSION if it is set, else update the engine to 20.10 or later"}
	case f.says("is too old. minimum supported"):
		return finding{ErrVersion, words(f.err), "unset DOCKER_API_VERSION if it is set, else update gantry"}
	case f.says("requires api version"):
		return finding{ErrUnsupported, words(f.err), "update the engine"}
	}
	return finding{}
}

var portNumber = pattern.Late(`(?:Bind for |listen tcp\d? |exposing port \S+ -> |listen udp\d? )?((?:\d+\.\d+\.\d+\.\d+|\[[^\]]*\]|):\d+)`)

func portTaken(f failure) finding {
	if !f.says("port is already allocated", "address already in use", "ports are not available") {
		return finding{}
	}
	port := "the port"
	if m := portNumber().FindStringSubmatch(f.text); m != nil {
		port = "port " + m[1][strings.LastIndex(m[1], ":")+1:]
	}
	cause := port + " is taken by another program of this machine"
	if f.says("port is already allocated") {
		cause = port + " is published by another container"
	}
	return finding{ErrPortTaken, cause, "publish another port, or stop what has it"}
}

var takenName = pattern.Late(`name "?/?([^" ]+?)"? is already in use(?: by container "?([0-9a-f]{12,64}))?`)

func nameTaken(f failure) finding {
	m := takenName().FindStringSubmatch(f.text)
	if m == nil {
		return finding{}
	}
	cause := fmt.Sprintf("another container has the name %q", m[1])
	if m[2] != "" {
		cause += " (" + m[2][:12] + ")"
	}
	return finding{ErrNameTaken, cause, "choose another name, or remove or rename that container"}
}

func imageGone(f failure) finding {
	if f.says("does not match the specified platform") {
		return finding{ErrImageGone, f.text, "build it for this platform, or leave the platform open"}
	}
	if !f.says("no such image", "image not known", "pull access denied") {
		return finding{}
	}
	return finding{ErrImageGone, "the image is not on this engine (any more)", "build or pull it, or choose another"}
}

func badCommand(f failure) finding {
	switch {
	case f.says("no command specified"):
		return finding{ErrBadCommand, "the image names no command to run", "give a command"}
	case f.says("executable file not found", "no such file or directory: unknown", "exec format error", "permission denied: unknown", "is a directory: unknown") &&
		f.says("runtime create failed", "oci runtime", "failed to create shim", "runc"):
		return finding{ErrBadCommand, runtimeWords(f.text), "check the command, and that the image is built for this machine"}
	}
	return finding{}
}

// runtimeWords is the last part of a low-level runtime's message, the only one
// that says something: `exec: "sj": executable file not found in $PATH`.
func runtimeWords(text string) string {
	text = strings.TrimSuffix(text, ": unknown")
	for _, mark := range []string{"unable to start container process: ", "container_linux.go", "process_linux.go", "starting container process caused: "} {
		if i := strings.LastIndex(text, mark); i >= 0 {
			text = text[i+len(mark):]
		}
	}
	return text
}

// badVolume knows texts that engines send with status 500.
func badVolume(f failure) finding {
	if !f.says("invalid mode", "invalid volume specification", "invalid mount config", "mount path must be absolute", "bind source path does not exist") {
		return finding{}
	}
	return finding{ErrInvalid, f.text, "write PATH-OR-VOLUME:CONTAINER-PATH[:ro], with absolute paths that exist"}
}

// upgradeStatus is all that the client keeps of a refusal to attach.
var upgradeStatus = pattern.Late(`unable to upgrade to tcp, received (\d+)`)

// notAttached knows what the status alone can mean: the container has ended, or
// is gone, since it was looked at.
func notAttached(f failure) finding {
	m := upgradeStatus().FindStringSubmatch(f.text)
	if m == nil {
		return finding{}
	}
	switch m[1] {
	case "404":
		return finding{ErrNotFound, "it is not there any more", ""}
	case "409":
		return finding{ErrConflict, "it does not run any more, or is paused", "start or unpause it first"}
	}
	return finding{ErrInvalid, "the engine refused the connection with status " + m[1], ""}
}

func unavailable(f failure) finding {
	if errdefs.IsNotImplemented(f.err) || f.says("page not found") {
		return finding{ErrUnsupported, words(f.err), "use another engine for this"}
	}
	return finding{}
}

func missing(f failure) finding {
	if !errdefs.IsNotFound(f.err) {
		return finding{}
	}
	return finding{kind: ErrNotFound, cause: f.text}
}

func conflicting(f failure) finding {
	if !errdefs.IsConflict(f.err) {
		return finding{}
	}
	found := finding{kind: ErrConflict, cause: f.text}
	switch {
	case f.says("is not running"):
		found.do = "start it first"
	case f.says("is paused"):
		found.do = "unpause it first"
	case f.says("is using its referenced image", "must force", "must be forced", "is being used by"):
		found.do = "remove the containers that use it, or remove it by force"
	}
	return found
}

func invalid(f failure) finding {
	if errdefs.IsInvalidArgument(f.err) || errdefs.IsPermissionDenied(f.err) || errdefs.IsUnauthorized(f.err) {
		return finding{kind: ErrInvalid, cause: f.text}
	}
	return finding{}
}

// gone reports whether what a call names does not exist.
func gone(err error) bool { return errdefs.IsNotFound(err) }
