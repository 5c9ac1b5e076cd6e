package wire

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/aws/smithy-go/document"
	smithytime "github.com/aws/smithy-go/time"
)

// appendJSON appends v as JSON: times as epoch seconds with milliseconds,
// blobs in base64, map keys in order.
func (c *codec) appendJSON(b []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return append(b, "null"...), nil
		}
		return c.appendJSON(b, v.Elem())
	case reflect.Interface:
		return c.appendJSONInterface(b, v)
	case reflect.String:
		return appendJSONString(b, v.String()), nil
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case reflect.Float32, reflect.Float64:
		return appendJSONFloat(b, v.Float(), v.Type().Bits()), nil
	case reflect.Slice:
		return c.appendJSONList(b, v)
	case reflect.Map:
		return c.appendJSONMap(b, v)
	case reflect.Struct:
		if v.Type() == timeType {
			return appendJSONFloat(b, smithytime.FormatEpochSeconds(timeOf(v)), 64), nil
		}
		b, err := c.appendJSONFields(append(b, '{'), v, '{')
		return append(b, '}'), err
	default:
		return b, fmt.Errorf("no JSON spelling for %s", v.Type())
	}
}

// timeOf copies a time out of v, without the allocation that v.Interface costs
// where v lies behind a pointer, as times do in SDK types.
func timeOf(v reflect.Value) time.Time {
	if v.CanAddr() {
		return *v.Addr().Interface().(*time.Time)
	}
	return v.Interface().(time.Time)
}

// appendJSONFields appends the fields of a struct that are not omitted. last
// is the byte before them, which tells whether a comma is due.
func (c *codec) appendJSONFields(b []byte, v reflect.Value, last byte) ([]byte, error) {
	var err error
	for _, f := range c.shape(v.Type()).fields {
		value := v.Field(f.index)
		if omitted(value) {
			continue
		}
		if last != '{' {
			b = append(b, ',')
		}
		last = ','
		b = append(b, f.key...)
		if b, err = c.appendJSON(b, value); err != nil {
			return b, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return b, nil
}

// appendErrorMembers appends what a modeled error says beside its message.
func (c *codec) appendErrorMembers(b []byte, v reflect.Value) ([]byte, error) {
	var err error
	for _, f := range c.shape(v.Type()).fields {
		name, value := v.Type().Field(f.index).Name, v.Field(f.index)
		if name == "Message" || name == "ErrorCodeOverride" || omitted(value) {
			continue
		}
		b = append(append(b, ','), f.key...)
		if b, err = c.appendJSON(b, value); err != nil {
			return b, err
		}
	}
	return b, nil
}

func (c *codec) appendJSONList(b []byte, v reflect.Value) ([]byte, error) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, v.Bytes())
		return append(b, '"'), nil
	}
	var err error
	b = append(b, '[')
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = c.appendJSON(b, v.Index(i)); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

func (c *codec) appendJSONMap(b []byte, v reflect.Value) ([]byte, error) {
	var err error
	b = append(b, '{')
	for i, key := range sortedKeys(v) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendJSONString(b, key.String()), ':')
		if b, err = c.appendJSON(b, v.MapIndex(key)); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

func sortedKeys(v reflect.Value) []reflect.Value {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		if a.String() < b.String() {
			return -1
		}
		return 1
	})
	return keys
}

// appendJSONInterface appends a document or a union.
func (c *codec) appendJSONInterface(b []byte, v reflect.Value) ([]byte, error) {
	if v.IsNil() {
		return append(b, "null"...), nil
	}
	if d, ok := v.Interface().(document.Marshaler); ok {
		text, err := d.MarshalSmithyDocument()
		if err != nil {
			return b, fmt.Errorf("spell a document: %w", err)
		}
		return append(b, text...), nil
	}
	member := reflect.Indirect(v.Elem())
	name, ok := c.memberName(v.Type(), member.Type())
	if !ok {
		return b, fmt.Errorf("no JSON spelling for %s", member.Type())
	}
	b = append(appendJSONString(append(b, '{'), name), ':')
	b, err := c.appendJSON(b, member.FieldByName("Value"))
	return append(b, '}'), err
}

// appendJSONString has a fast path for what AWS mostly sends: plain ASCII.
func appendJSONString(b []byte, s string) []byte {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			quoted, _ := json.Marshal(s) // a string has no unsupported value
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// appendJSONFloat spells the three values that JSON has no number for as
// strings, as the protocol asks.
func appendJSONFloat(b []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(b, `"-Infinity"`...)
	}
	const plain = 1e15 // below it a number is spelt without an exponent
	if math.Abs(f) < plain {
		return strconv.AppendFloat(b, f, 'f', -1, bits)
	}
	return strconv.AppendFloat(b, f, 'g', -1, bits)
}
