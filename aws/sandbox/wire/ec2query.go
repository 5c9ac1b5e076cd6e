package wire

import (
	"net/http"
	"reflect"
)

// ec2Query is the query protocol as EC2 has it: the request's lists are in the
// singular and without a level of their own (SubnetId.1=…), the answer has no
// Result element, its lists are of <item>, and errors look otherwise.
// Source: smithy.io, "AWS EC2 query protocol".
type ec2Query struct{ query }

func (q ec2Query) speaks(r *http.Request) bool {
	auth, err := ParseAuthorization(r.Header.Get("Authorization"))
	return err == nil && auth.Service == "ec2" && q.query.speaks(r)
}

func (ec2Query) encode(c *conversation, output reflect.Value) ([]byte, error) {
	operation := c.call.Operation
	x := xmlWriter{codec: c.service.codec, item: "item"}
	x.b = append(x.b, "<"+operation+`Response xmlns="`+c.service.Namespace+`">`...)
	x.text("requestId", c.id)
	if err := x.fields(output); err != nil {
		return nil, err
	}
	x.close(operation + "Response")
	return x.b, nil
}

func (q ec2Query) encodeError(c *conversation, f failure) []byte {
	var x xmlWriter
	x.open("Response")
	x.open("Errors")
	x.open("Error")
	x.text("Code", q.errorCode(f))
	x.text("Message", f.message)
	x.close("Error")
	x.close("Errors")
	x.text("RequestID", c.id)
	x.close("Response")
	return x.b
}
