package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/document"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"gantry/aws/sandbox/wire"
)

const (
	region  = "us-east-1"
	account = "000000000000"
)

// Config says how a sandbox is started. Its zero value is a sandbox with the
// demo world on a free port, whose tasks are states only.
type Config struct {
	Listen  string       // "127.0.0.1:0" when empty; only loopback is accepted
	Runtime Runtime      // where tasks run; nil keeps states only. The server closes it
	Clock   Clock        // the scheduler's time; nil is the machine's
	Empty   bool         // no demo world
	Log     *slog.Logger // nil discards

	// The key that requests must be signed with; random when empty.
	AccessKeyID, SecretAccessKey string

	// RunDir is where the run file is put, by which Running finds this
	// sandbox; the user's own runtime directory when empty.
	RunDir string

	// RegistryDir is where the layers that are pushed are kept until Close, in
	// a directory of their own; the user's cache directory when empty.
	RegistryDir string
}

// Server is a running sandbox. Its methods are safe for concurrent use.
type Server struct {
	url     string
	key     accessKey
	log     *slog.Logger
	faults  *Faults
	ecs     *ecsBackend
	ecr     *ecrBackend
	iam     iamBackend
	kms     *kmsBackend
	exec    *execBackend
	routes  *http.ServeMux
	http    *http.Server
	runFile *runFile
	inHand  requests

	leave     func() bool        // stops listening to the caller's context
	cancel    context.CancelFunc // ends the context of every request
	served    chan struct{}      // closed when the listener is done
	closeOnce sync.Once
	closeErr  error
}

// Start listens, fills the demo world in unless c.Empty, and serves until
// Close or the end of ctx. The context covers the start as well.
func Start(ctx context.Context, c Config) (*Server, error) {
	listener, err := listen(ctx, c.Listen)
	if err != nil {
		return nil, err
	}
	if c.Clock == nil {
		c.Clock = wallClock{}
	}
	s := &Server{
		url:    "http://" + listener.Addr().String(),
		key:    newAccessKey(c.AccessKeyID, c.SecretAccessKey),
		log:    discardLog(c.Log),
		faults: newFaults(userARN),
		routes: http.NewServeMux(),
		served: make(chan struct{}),
	}
	s.ecs = newECS(region, account, c.Clock, c.Runtime, s.log)
	s.ecr = newECR(listener.Addr().String(), c.RegistryDir, c.Clock, s.log)
	s.ecs.registry = s.ecr.host
	s.iam = newIAM(c.Clock.Now(), demoRoles(c)...)
	s.kms = newKMS()
	s.exec = newExec(s.ecs, s.kms, s.faults, s.url, s.log)
	if !c.Empty {
		if err := s.ecs.seedDemo(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("fill the sandbox's demo world: %w", err), listener.Close(), s.ecs.Close())
		}
	}
	s.serve(ctx, listener)
	if r, ok := c.Runtime.(*Containers); ok {
		s.lend(r)
	}
	s.publish(c.RunDir)
	s.leave = context.AfterFunc(ctx, func() { _ = s.Close() }) // Close keeps its error for the next caller
	return s, nil
}

// lend gives the docker runtime the registry that it pulls from.
func (s *Server) lend(r *Containers) {
	p := newProbe()
	s.Mount(p.pattern(), p)
	login := func() RegistryLogin {
		password, _ := s.ecr.newLogin()
		return RegistryLogin{Username: registryUser, Password: password}
	}
	r.meet(ownRegistry{host: s.ecr.host, newLogin: login, probe: p})
}

// services registers every emulated service, one line each.
func (s *Server) services(m *wire.Mux) {
	m.Handle(wire.Service{Name: "ecs", Target: "AmazonEC2ContainerServiceV20141113", LowerKeys: true, Unions: ecsUnions, Document: ecsDocument}, s.ecs.operations()...)
	m.Handle(wire.Service{Name: "ecs"}, s.exec.operations()...)
	m.Handle(wire.Service{Name: "ecr", Target: "AmazonEC2ContainerRegistry_V20150921", LowerKeys: true, Spellings: ecrSpellings}, s.ecr.operations()...)
	m.Handle(wire.Service{Name: "logs", Target: "Logs_20140328", LowerKeys: true}, s.ecs.logs.operations()...)
	m.Handle(wire.Service{Name: "ssm", Target: "AmazonSSM"}, ssmBackend{s.exec}.operations()...)
	m.Handle(wire.Service{Name: "kms", Target: "TrentService"}, s.kms.operations()...)
	m.Handle(wire.Service{Name: "sts", Namespace: "https://sts.amazonaws.com/doc/2011-06-15/"}, stsBackend{}.operations()...)
	m.Handle(wire.Service{Name: "iam", Namespace: "https://iam.amazonaws.com/doc/2010-05-08/"}, s.iam.operations()...)
	m.Handle(wire.Service{Name: "ec2", Namespace: "http://ec2.amazonaws.com/doc/2016-11-15/", LowerKeys: true, Spellings: ec2Spellings}, ec2Backend{}.operations()...)
}

// ecsUnions are the union members that the inputs of emulated operations reach.
var ecsUnions = []any{
	(*types.ServiceConnectContainerConfigurationMemberLogLevel)(nil),
	(*types.SharingStrategyMemberNvidiaMps)(nil),
}

func ecsDocument(v any) any { return document.NewLazyDocument(v) }

// serve puts the guards before the API and starts to accept connections. The
// end of ctx is Close's to act on, so that requests end in one order.
func (s *Server) serve(ctx context.Context, listener net.Listener) {
	api := &wire.Mux{Before: s.faults.before, Log: s.log}
	s.services(api)
	guard := newGuard(listener.Addr().String(), s.key)
	s.routes.Handle("/", guard.signed(api))
	s.mountStreams(guard)
	s.Mount("/v2/", &registryGate{s.ecr, s.faults})
	s.Mount("GET "+downloadPath+"{repository}/{digest}", http.HandlerFunc(s.ecr.download))
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	s.http = &http.Server{
		Handler:     s.inHand.count(guard.local(s.routes)),
		BaseContext: func(net.Listener) context.Context { return base },
		ErrorLog:    slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		// No ReadTimeout: it would end the context of a call that is held on
		// purpose. The guard bounds the reading of a body.
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	go func() {
		defer close(s.served)
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("the sandbox stopped serving", "error", err)
		}
	}()
}

// publish writes the run file. A sandbox that cannot be found by Running still
// serves whoever knows its URL, so a failure is told, not fatal.
func (s *Server) publish(dir string) {
	info := s.info()
	f, err := writeRunFile(dir, info)
	if err != nil {
		s.log.Warn("other terminals cannot find this sandbox", "error", err)
		return
	}
	s.runFile = f
}

// Mount serves h at a pattern of http.ServeMux, beside the API and without its
// signatures: h has to authenticate its callers itself. The guards on Host and
// Origin hold for it too. It must return when its request's context ends, also
// after it took the connection over: Close waits for it.
func (s *Server) Mount(pattern string, h http.Handler) { s.routes.Handle(pattern, h) }

// URL is the endpoint, for example "http://127.0.0.1:4566".
func (s *Server) URL() string { return s.url }

// AccessKeyID is the id of the only key that the sandbox knows.
func (s *Server) AccessKeyID() string { return s.key.id }

// SecretAccessKey is that key's secret. It gives the right to run code here.
func (s *Server) SecretAccessKey() string { return s.key.secret }

// Region is the only region there is.
func (s *Server) Region() string { return region }

// Exports are the shell lines that point any AWS client at this sandbox.
func (s *Server) Exports() []string { return s.info().Exports() }

// Faults are the switches that make the API misbehave.
func (s *Server) Faults() *Faults { return s.faults }

// Close stops serving, ends all tasks and removes the run file. Requests under
// way are cut off, and their handlers have returned when it returns.
func (s *Server) Close() error {
	s.closeOnce.Do(func() {
		s.leave()
		s.inHand.refuse()
		s.cancel()
		s.closeErr = errors.Join(s.http.Close(), s.runFile.remove())
		<-s.served
		s.closeErr = errors.Join(s.closeErr, s.exec.Close())
		s.inHand.wait()
		s.closeErr = errors.Join(s.closeErr, s.ecs.Close(), s.ecr.Close())
	})
	return s.closeErr
}

// listen opens the port. Whoever holds the key runs code as this user, so the
// port must never be reachable from another machine.
func listen(ctx context.Context, address string) (net.Listener, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: want an address like 127.0.0.1:4566: %w", address, err)
	}
	if !isLoopback(host) {
		return nil, notLoopback(address)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	if tcp, ok := listener.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return nil, errors.Join(notLoopback(address), listener.Close())
	}
	return listener, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func notLoopback(address string) error {
	return fmt.Errorf("listen on %q: the sandbox runs code for whoever holds its key, so it only listens on 127.0.0.1, localhost or [::1]", address)
}

// accessKey is what requests are signed with.
type accessKey struct{ id, secret string }

// newAccessKey fills in what is empty with random text of the usual lengths,
// 20 and 40 characters.
func newAccessKey(id, secret string) accessKey {
	if id == "" {
		id = "AKIA" + rand.Text()[:16]
	}
	if secret == "" {
		secret = (rand.Text() + rand.Text())[:40]
	}
	return accessKey{id, secret}
}

// requests counts the requests in hand, so that Close can wait for their
// handlers, those of hijacked connections included.
type requests struct {
	mu     sync.Mutex
	closed bool
	group  sync.WaitGroup
}

func (q *requests) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !q.enter() {
			panic(http.ErrAbortHandler)
		}
		defer q.group.Done()
		next.ServeHTTP(w, r)
	})
}

func (q *requests) enter() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.group.Add(1)
	return true
}

func (q *requests) refuse() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

func (q *requests) wait() { q.group.Wait() }

func (s *Server) info() RunInfo {
	return RunInfo{
		URL: s.url, AccessKeyID: s.key.id, SecretAccessKey: s.key.secret, Region: region,
	}
}
