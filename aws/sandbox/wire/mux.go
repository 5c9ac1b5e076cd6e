// Package wire speaks the request protocols of AWS from the server's side. It
// turns an HTTP request into a call of a Go function that takes and returns the
// SDK's own Input and Output types, and its result into the bytes that AWS
// would send. It holds no state and knows no service by name but EC2, which has
// a protocol to itself.
//
// A protocol is chosen for each request, not for each service: clients differ
// in what they speak to the same service (aws-cli 1.45 sends awsjson to
// CloudWatch where the Go SDK sends rpc-v2-cbor).
package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Service says how one AWS service is recognised and spelt on the wire.
type Service struct {
	Name      string // signing name, the service part of a credential scope: "ecs"
	Target    string // what stands before the dot of X-Amz-Target, for awsjson: "AmazonEC2ContainerServiceV20141113"
	Namespace string // of the XML answers, for the query protocol: "https://sts.amazonaws.com/doc/2011-06-15/"
	LowerKeys bool   // keys begin in lower case ("taskArn"), as ECS, ECR, Logs and EC2 spell them; SSM and KMS do not

	// Spellings are the names on the wire that do not follow from the SDK's,
	// by "Type.Field": EC2 has "DescribeSubnetsOutput.Subnets" as "subnetSet".
	Spellings map[string]string

	// Unions lists a pointer to every member type of the SDK's union interfaces
	// that requests may carry, since reflection cannot find them.
	Unions []any
	// Document makes the service's document.Interface of a plain JSON value;
	// nil where the service has no documents.
	Document func(v any) any
}

// Call names the operation that a request asks for.
type Call struct {
	Service   string // signing name
	Operation string // "DescribeTasks"
}

// Mux routes API requests to operations. Its fields and services are set
// before it serves; after that it is safe for concurrent use.
type Mux struct {
	// Before sees every call of a known operation before its parameters are
	// read; its error is the answer in the operation's stead.
	Before func(ctx context.Context, c Call) error
	// Log is told of each call at debug level, never of its contents, and of
	// failures of the server's own; nil discards.
	Log *slog.Logger

	services []*service
}

type service struct {
	Service
	codec      *codec
	operations map[string]Operation
}

// Handle registers operations of s. Registering one twice, or none at all, is a
// mistake of the program and panics.
func (m *Mux) Handle(s Service, operations ...Operation) {
	if len(operations) == 0 {
		panic("wire: no operation of " + s.Name)
	}
	target := m.service(s)
	for _, op := range operations {
		target.add(op)
	}
}

func (m *Mux) service(s Service) *service {
	for _, known := range m.services {
		if known.Name == s.Name {
			return known
		}
	}
	added := &service{Service: s, codec: newCodec(s), operations: map[string]Operation{}}
	m.services = append(m.services, added)
	return added
}

func (s *service) add(op Operation) {
	if _, twice := s.operations[op.Name]; twice {
		panic(fmt.Sprintf("wire: %s:%s is registered twice", s.Name, op.Name))
	}
	s.operations[op.Name] = op
}

func (m *Mux) find(match func(*service) bool) *service {
	for _, s := range m.services {
		if match(s) {
			return s
		}
	}
	return nil
}

// ServeHTTP answers one API request. A call whose client has left, or that the
// closing server gave up, is cut off without an answer: an empty 200 would
// read as success.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	c := conversation{protocol: protocolOf(r), id: uuid.NewString()}
	answer, err := m.converse(&c, w, r)
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler)
	}
	status := http.StatusOK
	if err != nil {
		status = m.fail(w, c, err)
	} else {
		c.write(w, status, answer)
	}
	m.log().Debug("call", "service", c.call.Service, "operation", c.call.Operation,
		"status", status, "took", time.Since(started))
}

// conversation is one request and its answer.
type conversation struct {
	protocol protocol
	service  *service // nil until the request is routed
	call     Call
	id       string // what AWS calls the request id
}

// converse routes, decodes, runs and encodes one call. A panic below becomes an error.
func (m *Mux) converse(c *conversation, w http.ResponseWriter, r *http.Request) (answer []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			if aborted, ok := p.(error); ok && errors.Is(aborted, http.ErrAbortHandler) {
				panic(p)
			}
			m.log().Error("a handler panicked", "operation", c.call.Operation, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = &Error{Code: codeInternal, Message: "The request processing has failed because of an unknown error.", Status: http.StatusInternalServerError}
		}
	}()
	body, err := ReadBody(w, r)
	if err != nil {
		return nil, err
	}
	route, err := c.protocol.route(m, r, body)
	if err != nil {
		return nil, err
	}
	c.service, c.call = route.service, Call{route.service.Name, route.operation}
	op, known := c.service.operations[route.operation]
	if !known {
		return nil, unknownOperation(c.service.Name + ":" + route.operation)
	}
	if err := checkScope(r, c.service); err != nil {
		return nil, err
	}
	if m.Before != nil {
		if err := m.Before(r.Context(), c.call); err != nil {
			return nil, err
		}
	}
	input := reflect.New(op.input)
	params, err := route.params()
	if err != nil {
		return nil, err
	}
	if err := c.service.codec.assign(input.Elem(), params, ""); err != nil {
		return nil, err
	}
	output, err := op.run(r.Context(), input.Interface())
	if err != nil {
		return nil, err
	}
	if output.IsNil() {
		return nil, fmt.Errorf("%s gave neither an output nor an error", route.operation)
	}
	return c.protocol.encode(c, output.Elem())
}

// checkScope refuses a request that was signed for another service than it calls.
func checkScope(r *http.Request, s *service) error {
	scope, err := ParseAuthorization(r.Header.Get("Authorization"))
	if err != nil || scope.Service == s.Name {
		return nil // whether it is signed at all is the guard's matter
	}
	return &Error{
		Code:    codeInvalidSignature,
		Message: fmt.Sprintf("Credential should be scoped to correct service: '%s'. ", s.Name),
		Status:  http.StatusForbidden,
	}
}

// fail writes err as the answer and returns its HTTP status.
func (m *Mux) fail(w http.ResponseWriter, c conversation, err error) int {
	f := describe(err)
	if f.status >= http.StatusInternalServerError {
		m.log().Error("call failed", "service", c.call.Service, "operation", c.call.Operation, "error", err)
	}
	c.fail(w, f)
	return f.status
}

// WriteError answers r with err in the protocol that r speaks. It is for the
// guards that stand before the Mux.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	c := conversation{protocol: protocolOf(r), id: uuid.NewString()}
	c.fail(w, describe(err))
}

func (c conversation) fail(w http.ResponseWriter, f failure) {
	w.Header().Set("X-Amzn-Errortype", c.protocol.errorCode(f))
	c.write(w, f.status, c.protocol.encodeError(&c, f))
}

func (c conversation) write(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", c.protocol.contentType())
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Amzn-Requestid", c.id)
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that left is no failure of ours
}

func (m *Mux) log() *slog.Logger {
	if m.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return m.Log
}

// MaxBody is the largest request body that is read, in bytes.
const MaxBody = 1 << 20

// ReadBody reads the whole body of r. A body above MaxBody is an *Error with
// HTTP status 413.
func ReadBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := readAll(http.MaxBytesReader(w, r.Body, MaxBody), r.ContentLength)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, &Error{
			Code:    "RequestEntityTooLargeException",
			Message: fmt.Sprintf("The request body is larger than %d bytes.", MaxBody),
			Status:  http.StatusRequestEntityTooLarge,
		}
	}
	if err != nil {
		return nil, &Error{Code: codeSerialization, Message: "The request body ended early: " + err.Error(), Status: http.StatusBadRequest}
	}
	return body, nil
}

// unknownOperation is the answer to what is not emulated: success is never faked.
func unknownOperation(what string) error {
	return &Error{
		Code:    "UnknownOperationException",
		Message: fmt.Sprintf("gantry's sandbox does not emulate %s.", printable(what)),
		Status:  http.StatusBadRequest,
	}
}

// printable keeps a name out of a request readable in an error message: a
// limited length and no control characters.
func printable(s string) string {
	const limit = 120
	s = strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}
