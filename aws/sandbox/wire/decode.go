package wire

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/aws/smithy-go/document"
	smithytime "github.com/aws/smithy-go/time"
)

// assign sets dst, a part of an Input struct, to what a parameter tree says.
// Names are matched without regard to case and unknown ones are skipped, as
// AWS skips them. path says where in the tree src stands, for error messages.
func (c *codec) assign(dst reflect.Value, src any, path string) error {
	if src == nil {
		return nil
	}
	if dst.Kind() == reflect.Pointer {
		dst.Set(reflect.New(dst.Type().Elem()))
		return c.assign(dst.Elem(), src, path)
	}
	if f, ok := src.(*form); ok {
		return c.assignForm(dst, f, path)
	}
	if dst.Kind() == reflect.Interface {
		return c.assignInterface(dst, src, path)
	}
	switch src := src.(type) {
	case map[string]any:
		return c.assignObject(dst, src, path)
	case []any:
		return c.assignList(dst, src, path)
	case string:
		return assignString(dst, src, path)
	case json.Number:
		return assignNumber(dst, src.String(), path)
	case bool:
		if dst.Kind() != reflect.Bool {
			return mismatch(dst, "a boolean", path)
		}
		dst.SetBool(src)
		return nil
	default:
		return mismatch(dst, fmt.Sprintf("%T", src), path)
	}
}

func (c *codec) assignObject(dst reflect.Value, src map[string]any, path string) error {
	switch {
	case dst.Kind() == reflect.Map:
		return c.assignMap(dst, src, path)
	case dst.Kind() != reflect.Struct || dst.Type() == timeType:
		return mismatch(dst, "an object", path)
	}
	shape := c.shape(dst.Type())
	for name, value := range src {
		i, known := shape.byName[strings.ToLower(name)]
		if !known {
			continue
		}
		f := shape.fields[i]
		if err := c.assign(dst.Field(f.index), value, join(path, f.name)); err != nil {
			return err
		}
	}
	return nil
}

func (c *codec) assignMap(dst reflect.Value, src map[string]any, path string) error {
	t := dst.Type()
	dst.Set(reflect.MakeMapWithSize(t, len(src)))
	for key, value := range src {
		element := reflect.New(t.Elem()).Elem()
		if err := c.assign(element, value, join(path, key)); err != nil {
			return err
		}
		dst.SetMapIndex(reflect.ValueOf(key).Convert(t.Key()), element)
	}
	return nil
}

func (c *codec) assignList(dst reflect.Value, src []any, path string) error {
	if dst.Kind() != reflect.Slice || isBlob(dst) {
		return mismatch(dst, "a list", path)
	}
	dst.Set(reflect.MakeSlice(dst.Type(), len(src), len(src)))
	for i, value := range src {
		if err := c.assign(dst.Index(i), value, path+"["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
	}
	return nil
}

func assignString(dst reflect.Value, src, path string) error {
	switch {
	case dst.Kind() == reflect.String:
		dst.SetString(src)
		return nil
	case isBlob(dst):
		blob, err := base64.StdEncoding.DecodeString(src)
		if err != nil {
			return serializationError(path, "not base64")
		}
		dst.SetBytes(blob)
		return nil
	case isFloat(dst) && (src == "NaN" || src == "Infinity" || src == "-Infinity"):
		f, err := strconv.ParseFloat(src, 64)
		dst.SetFloat(f)
		return err
	}
	return mismatch(dst, "a string", path)
}

func assignNumber(dst reflect.Value, src, path string) error {
	switch {
	case dst.CanInt():
		n, err := strconv.ParseInt(src, 10, dst.Type().Bits())
		if err != nil {
			return serializationError(path, printable(src)+" is not "+describeKind(dst))
		}
		dst.SetInt(n)
	case isFloat(dst):
		f, err := strconv.ParseFloat(src, dst.Type().Bits())
		if err != nil {
			return serializationError(path, printable(src)+" is not "+describeKind(dst))
		}
		dst.SetFloat(f)
	case dst.Type() == timeType:
		return assignEpoch(dst, src, path)
	default:
		return mismatch(dst, "a number", path)
	}
	return nil
}

func assignEpoch(dst reflect.Value, src, path string) error {
	const latest = 253402300799 // the last second of the year 9999
	seconds, err := strconv.ParseFloat(src, 64)
	if err != nil || math.Abs(seconds) > latest {
		return serializationError(path, printable(src)+" is no time in epoch seconds")
	}
	dst.Set(reflect.ValueOf(smithytime.ParseEpochSeconds(seconds)))
	return nil
}

// assignInterface sets a document or a union, the two that the SDK's types
// hold as interfaces.
func (c *codec) assignInterface(dst reflect.Value, src any, path string) error {
	if dst.Type().Implements(reflect.TypeFor[document.Unmarshaler]()) {
		if c.document == nil {
			return serializationError(path, "documents are not emulated")
		}
		dst.Set(reflect.ValueOf(c.document(plain(src))))
		return nil
	}
	object, ok := src.(map[string]any)
	if !ok {
		return mismatch(dst, "what is no object", path)
	}
	for name, value := range object {
		if value == nil {
			continue
		}
		if !dst.IsNil() {
			return serializationError(path, "a union has exactly one member")
		}
		if err := c.assignMember(dst, name, value, join(path, name)); err != nil {
			return err
		}
	}
	return nil
}

func (c *codec) assignMember(dst reflect.Value, name string, value any, path string) error {
	for _, t := range c.unions {
		known, ok := c.memberName(dst.Type(), t.Elem())
		if ok && strings.EqualFold(known, name) {
			member := reflect.New(t.Elem())
			dst.Set(member)
			return c.assign(member.Elem().FieldByName("Value"), value, path)
		}
	}
	return serializationError(path, "not a member of this union that is emulated")
}

// plain turns the numbers of a parameter tree into those that the SDK's
// document encoder knows.
func plain(src any) any {
	switch src := src.(type) {
	case json.Number:
		if n, err := src.Int64(); err == nil {
			return n
		}
		f, _ := src.Float64()
		return f
	case map[string]any:
		object := make(map[string]any, len(src))
		for key, value := range src {
			object[key] = plain(value)
		}
		return object
	case []any:
		list := make([]any, len(src))
		for i, value := range src {
			list[i] = plain(value)
		}
		return list
	default:
		return src
	}
}

func isBlob(v reflect.Value) bool {
	return v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8
}

func isFloat(v reflect.Value) bool {
	return v.Kind() == reflect.Float32 || v.Kind() == reflect.Float64
}

func mismatch(dst reflect.Value, got, path string) error {
	return serializationError(path, got+" cannot be converted to "+describeKind(dst))
}

func describeKind(v reflect.Value) string {
	switch {
	case v.Type() == timeType:
		return "a time"
	case isBlob(v):
		return "a blob"
	}
	switch v.Kind() {
	case reflect.Slice:
		return "a list"
	case reflect.Map, reflect.Struct, reflect.Interface:
		return "an object"
	case reflect.Bool:
		return "a boolean"
	case reflect.String:
		return "a string"
	default:
		return fmt.Sprintf("a %d-bit number", v.Type().Bits())
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
