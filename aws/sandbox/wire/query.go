package wire

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"reflect"
	"strings"
)

// query is the query protocol: a form in, XML out.
// Source: smithy.io, "AWS query protocol".
type query struct{}

// queryCodes are the names that query services use for failures of the front
// end. UnknownOperationException keeps its name on purpose: whoever talks to
// the sandbox looks for one name to tell what is not emulated.
// Source: "Common Errors" of the AWS STS API reference.
var queryCodes = map[string]string{
	"AccessDeniedException":               "AccessDenied",
	"ExpiredTokenException":               "ExpiredToken",
	"IncompleteSignatureException":        "IncompleteSignature",
	"MissingAuthenticationTokenException": "MissingAuthenticationToken",
	"ThrottlingException":                 "Throttling",
	"UnrecognizedClientException":         "InvalidClientTokenId",
	codeInvalidSignature:                  "SignatureDoesNotMatch",
	codeSerialization:                     "MalformedQueryString",
}

func (query) speaks(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}

func (query) contentType() string { return "text/xml" }

func (query) route(m *Mux, r *http.Request, body []byte) (route, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return route{}, serializationError("", "The form cannot be read: "+printable(err.Error()))
	}
	action := values.Get("Action")
	if r.Method != http.MethodPost || action == "" {
		return route{}, &Error{Code: "MissingAction", Message: "The request is missing an action or a required parameter.", Status: http.StatusBadRequest}
	}
	auth, err := ParseAuthorization(r.Header.Get("Authorization"))
	if err != nil {
		return route{}, &Error{Code: "IncompleteSignatureException", Message: err.Error(), Status: http.StatusForbidden}
	}
	s := m.find(func(s *service) bool { return s.Namespace != "" && s.Name == auth.Service })
	if s == nil {
		return route{}, unknownOperation(auth.Service + ":" + action)
	}
	values.Del("Action")
	values.Del("Version")
	return route{s, action, func() (any, error) { return parseForm(values) }}, nil
}

func (query) encode(c *conversation, output reflect.Value) ([]byte, error) {
	operation := c.call.Operation
	x := xmlWriter{codec: c.service.codec, item: "member"}
	x.b = append(x.b, "<"+operation+`Response xmlns="`+c.service.Namespace+`">`...)
	x.open(operation + "Result")
	if err := x.fields(output); err != nil {
		return nil, err
	}
	x.close(operation + "Result")
	x.open("ResponseMetadata")
	x.text("RequestId", c.id)
	x.close("ResponseMetadata")
	x.close(operation + "Response")
	return x.b, nil
}

func (query) errorCode(f failure) string {
	if name, other := queryCodes[f.code]; f.common && other {
		return name
	}
	return f.code
}

func (q query) encodeError(c *conversation, f failure) []byte {
	fault := "Sender"
	if f.status >= http.StatusInternalServerError {
		fault = "Receiver"
	}
	namespace := ""
	if c.service != nil {
		namespace = ` xmlns="` + c.service.Namespace + `"`
	}
	var x xmlWriter
	x.b = append(x.b, "<ErrorResponse"+namespace+">"...)
	x.open("Error")
	x.text("Type", fault)
	x.text("Code", q.errorCode(f))
	x.text("Message", f.message)
	x.close("Error")
	x.text("RequestId", c.id)
	x.close("ErrorResponse")
	return x.b
}

// Write lets encoding/xml escape into the answer; it cannot fail.
func (x *xmlWriter) Write(p []byte) (int, error) {
	x.b = append(x.b, p...)
	return len(p), nil
}

func (x *xmlWriter) text(name, text string) {
	x.open(name)
	_ = xml.EscapeText(x, []byte(text))
	x.close(name)
}
