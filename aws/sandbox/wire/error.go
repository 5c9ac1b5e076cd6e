package wire

import (
	"errors"
	"net/http"
	"reflect"

	"github.com/aws/smithy-go"
)

// The names that awsjson services give to failures no model declares. The
// query protocol spells some of them otherwise: see queryCodes.
// Source: "Common Errors" of the Amazon ECS and AWS STS API references.
const (
	codeInternal         = "InternalFailure"
	codeSerialization    = "SerializationException"
	codeInvalidSignature = "InvalidSignatureException"
)

// Error is a failure that AWS's front end gives for every service alike
// (signature, throttling, unknown operation). Code is the awsjson spelling; a
// query request gets that protocol's own name for it. Failures that belong to
// a service's model are the SDK's types instead.
type Error struct {
	Code    string
	Message string
	Status  int // of HTTP
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// ErrorCode is the failure's name in awsjson.
func (e *Error) ErrorCode() string { return e.Code }

// ErrorMessage is AWS's wording of the failure.
func (e *Error) ErrorMessage() string { return e.Message }

// ErrorFault tells whose fault it is, by the HTTP status.
func (e *Error) ErrorFault() smithy.ErrorFault {
	if e.Status >= http.StatusInternalServerError {
		return smithy.FaultServer
	}
	return smithy.FaultClient
}

// failure is an error as the protocols need it.
type failure struct {
	code    string
	message string
	status  int
	common  bool          // of the front end, not of a service's model
	members reflect.Value // the modeled error's struct, if it is one
}

// describe reads what the wire needs out of any error. One that is no API
// error is the server's own failure.
func describe(err error) failure {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return failure{code: codeInternal, message: err.Error(), status: http.StatusInternalServerError, common: true}
	}
	f := failure{code: api.ErrorCode(), message: api.ErrorMessage(), status: http.StatusBadRequest}
	if api.ErrorFault() == smithy.FaultServer {
		f.status = http.StatusInternalServerError
	}
	var common *Error
	if errors.As(err, &common) {
		f.status, f.common = common.Status, true
		return f
	}
	if v := reflect.Indirect(reflect.ValueOf(api)); v.Kind() == reflect.Struct && v.FieldByName("ErrorCodeOverride").IsValid() {
		f.members = v
	}
	return f
}

func serializationError(path, problem string) error {
	if path != "" {
		problem = printable(path) + ": " + problem
	}
	return &Error{Code: codeSerialization, Message: problem, Status: http.StatusBadRequest}
}
