package wire

import (
	"io"
	"net/http"
	"reflect"
)

// protocol is one way to spell calls and answers. Adding one is a file that
// implements it and a line in protocols.
type protocol interface {
	// speaks reports whether r is of this protocol.
	speaks(r *http.Request) bool
	// route finds the service and the operation that r asks for.
	route(m *Mux, r *http.Request, body []byte) (route, error)
	// encode spells an Output struct.
	encode(c *conversation, output reflect.Value) ([]byte, error)
	// errorCode is the protocol's name for a failure.
	errorCode(f failure) string
	// encodeError spells a failure; c.service is nil when it came before routing.
	encodeError(c *conversation, f failure) []byte
	contentType() string
}

// route is where a request goes. params reads its parameters as a tree of
// map[string]any, []any, string, json.Number, bool and nil, or of *form; it
// runs only after the operation is known to exist.
type route struct {
	service   *service
	operation string
	params    func() (any, error)
}

// protocols in the order in which they are tried.
var protocols = []protocol{awsJSON{}, ec2Query{}, query{}}

// protocolOf falls back to awsjson, which then refuses the request by name.
func protocolOf(r *http.Request) protocol {
	for _, p := range protocols {
		if p.speaks(r) {
			return p
		}
	}
	return awsJSON{}
}

// readAll reads r in one allocation where its size is told; a told size above
// MaxBody buys no memory in advance.
func readAll(r io.Reader, size int64) ([]byte, error) {
	if size <= 0 || size > MaxBody {
		return io.ReadAll(r)
	}
	body := make([]byte, size)
	n, err := io.ReadFull(r, body)
	return body[:n], err
}
