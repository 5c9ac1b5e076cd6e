package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
)

// awsJSON is awsjson 1.1 (and 1.0, which differs in the content type alone).
// Source: smithy.io, "AWS JSON 1.1 protocol".
type awsJSON struct{}

const targetHeader = "X-Amz-Target"

func (awsJSON) speaks(r *http.Request) bool { return r.Header.Get(targetHeader) != "" }

func (awsJSON) contentType() string { return "application/x-amz-json-1.1" }

func (awsJSON) route(m *Mux, r *http.Request, body []byte) (route, error) {
	target := r.Header.Get(targetHeader)
	if r.Method != http.MethodPost || target == "" {
		return route{}, unknownOperation(r.Method + " " + r.URL.Path + ", which is in no protocol that it speaks")
	}
	prefix, operation, _ := strings.Cut(target, ".")
	s := m.find(func(s *service) bool { return s.Target != "" && s.Target == prefix })
	if s == nil {
		return route{}, unknownOperation(target)
	}
	return route{s, operation, func() (any, error) { return parseJSON(body) }}, nil
}

// parseJSON reads one JSON object; an empty body is an empty object.
func parseJSON(body []byte) (any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return map[string]any{}, nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var tree map[string]any
	if err := d.Decode(&tree); err != nil {
		return nil, serializationError("", "The request body is no JSON object: "+printable(err.Error()))
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, serializationError("", "The request body goes on after its JSON object.")
	}
	return tree, nil
}

func (awsJSON) encode(c *conversation, output reflect.Value) ([]byte, error) {
	return c.service.codec.appendJSON(make([]byte, 0, 1024), output)
}

func (awsJSON) errorCode(f failure) string { return f.code }

func (awsJSON) encodeError(c *conversation, f failure) []byte {
	b := appendJSONString([]byte(`{"__type":`), f.code)
	b = append(b, `,"message":`...)
	b = appendJSONString(b, f.message)
	if c.service != nil && f.members.IsValid() {
		if more, err := c.service.codec.appendErrorMembers(b, f.members); err == nil {
			b = more
		}
	}
	return append(b, '}')
}
