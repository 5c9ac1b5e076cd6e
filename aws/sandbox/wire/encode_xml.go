package wire

import (
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"strconv"

	smithytime "github.com/aws/smithy-go/time"
)

// xmlWriter spells Go values as the query protocols' XML: maps as <entry>,
// times in ISO 8601.
type xmlWriter struct {
	codec *codec
	item  string // what an element of a list is called
	b     []byte
}

func (x *xmlWriter) open(name string)  { x.b = append(append(append(x.b, '<'), name...), '>') }
func (x *xmlWriter) close(name string) { x.b = append(append(append(x.b, "</"...), name...), '>') }

func (x *xmlWriter) fields(v reflect.Value) error {
	for _, f := range x.codec.shape(v.Type()).fields {
		value := v.Field(f.index)
		if omitted(value) {
			continue
		}
		if err := x.element(f.name, value); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

func (x *xmlWriter) element(name string, v reflect.Value) error {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if text, ok := xmlText(v); ok {
		x.text(name, text)
		return nil
	}
	x.open(name)
	defer x.close(name)
	switch v.Kind() {
	case reflect.Struct:
		return x.fields(v)
	case reflect.Slice:
		for i := range v.Len() {
			if err := x.element(x.item, v.Index(i)); err != nil {
				return err
			}
		}
		return nil
	case reflect.Map:
		return x.entries(v)
	default:
		return fmt.Errorf("no XML spelling for %s", v.Type())
	}
}

func (x *xmlWriter) entries(v reflect.Value) error {
	for _, key := range sortedKeys(v) {
		x.open("entry")
		x.text("key", key.String())
		if err := x.element("value", v.MapIndex(key)); err != nil {
			return err
		}
		x.close("entry")
	}
	return nil
}

// xmlText spells a value that has no parts.
func xmlText(v reflect.Value) (string, bool) {
	switch {
	case v.Kind() == reflect.String:
		return v.String(), true
	case v.Kind() == reflect.Bool:
		return strconv.FormatBool(v.Bool()), true
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), true
	case isFloat(v):
		return xmlFloat(v.Float(), v.Type().Bits()), true
	case v.Type() == timeType:
		return smithytime.FormatDateTime(timeOf(v)), true
	case isBlob(v):
		return base64.StdEncoding.EncodeToString(v.Bytes()), true
	default:
		return "", false
	}
}

func xmlFloat(f float64, bits int) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	default:
		return strconv.FormatFloat(f, 'g', -1, bits)
	}
}
