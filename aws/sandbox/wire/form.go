package wire

import (
	"cmp"
	"encoding/base64"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	smithytime "github.com/aws/smithy-go/time"
)

// form is a node of the tree that dotted form keys spell:
// Tags.member.1.Key=a is Tags → member → 1 → Key → "a". Its texts have no
// type; the field that takes one decides.
type form struct {
	text     string
	children map[string]*form // nil in a leaf
}

// maxFormDepth bounds the tree; the deepest AWS input has far fewer levels.
const maxFormDepth = 32

func parseForm(values url.Values) (*form, error) {
	root := &form{}
	for key, texts := range values {
		parts := strings.Split(key, ".")
		if len(parts) > maxFormDepth {
			return nil, serializationError(key, "nested too deeply")
		}
		if len(texts) != 1 {
			return nil, serializationError(key, "given more than once")
		}
		root.put(parts, texts[0])
	}
	return root, nil
}

func (f *form) put(path []string, text string) {
	for _, name := range path {
		if f.children == nil {
			f.children = map[string]*form{}
		}
		if f.children[name] == nil {
			f.children[name] = &form{}
		}
		f = f.children[name]
	}
	f.text = text
}

// list gives the numbered children in order. The query protocol puts them
// under "member", ec2query does not.
func (f *form) list() []*form {
	if inner := f.children["member"]; inner != nil {
		f = inner
	}
	return f.numbered()
}

func (f *form) numbered() []*form {
	type item struct {
		number int
		node   *form
	}
	var items []item
	for name, child := range f.children {
		if n, err := strconv.Atoi(name); err == nil {
			items = append(items, item{n, child})
		}
	}
	slices.SortFunc(items, func(a, b item) int { return cmp.Compare(a.number, b.number) })
	nodes := make([]*form, len(items))
	for i, it := range items {
		nodes[i] = it.node
	}
	return nodes
}

func (c *codec) assignForm(dst reflect.Value, src *form, path string) error {
	switch {
	case dst.Type() == timeType || isBlob(dst):
		return c.assignText(dst, src, path)
	case dst.Kind() == reflect.Struct:
		return c.assignFormFields(dst, src, path)
	case dst.Kind() == reflect.Slice:
		return c.assignFormList(dst, src, path)
	case dst.Kind() == reflect.Map:
		return c.assignFormMap(dst, src, path)
	default:
		return c.assignText(dst, src, path)
	}
}

func (c *codec) assignFormFields(dst reflect.Value, src *form, path string) error {
	shape := c.shape(dst.Type())
	for name, child := range src.children {
		i, known := shape.byName[strings.ToLower(name)]
		if !known {
			continue
		}
		f := shape.fields[i]
		if err := c.assign(dst.Field(f.index), child, join(path, f.name)); err != nil {
			return err
		}
	}
	return nil
}

func (c *codec) assignFormList(dst reflect.Value, src *form, path string) error {
	nodes := src.list()
	dst.Set(reflect.MakeSlice(dst.Type(), len(nodes), len(nodes)))
	for i, node := range nodes {
		if err := c.assign(dst.Index(i), node, path+"["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
	}
	return nil
}

func (c *codec) assignFormMap(dst reflect.Value, src *form, path string) error {
	t := dst.Type()
	dst.Set(reflect.MakeMap(t))
	if inner := src.children["entry"]; inner != nil {
		src = inner
	}
	for _, entry := range src.numbered() {
		key, value := entry.children["key"], entry.children["value"]
		if key == nil || value == nil {
			return serializationError(path, "a map entry needs a key and a value")
		}
		element := reflect.New(t.Elem()).Elem()
		if err := c.assign(element, value, join(path, key.text)); err != nil {
			return err
		}
		dst.SetMapIndex(reflect.ValueOf(key.text).Convert(t.Key()), element)
	}
	return nil
}

// assignText reads a form's text as the type that dst has.
func (c *codec) assignText(dst reflect.Value, src *form, path string) error {
	if src.children != nil {
		return mismatch(dst, "an object", path)
	}
	switch {
	case dst.Kind() == reflect.String:
		dst.SetString(src.text)
	case dst.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(src.text)
		if err != nil {
			return serializationError(path, printable(src.text)+" is no boolean")
		}
		dst.SetBool(b)
	case dst.Type() == timeType:
		t, err := smithytime.ParseDateTime(src.text)
		if err != nil {
			return serializationError(path, printable(src.text)+" is no ISO 8601 time")
		}
		dst.Set(reflect.ValueOf(t))
	case isBlob(dst):
		blob, err := base64.StdEncoding.DecodeString(src.text)
		if err != nil {
			return serializationError(path, "not base64")
		}
		dst.SetBytes(blob)
	default:
		return assignNumber(dst, src.text, path)
	}
	return nil
}
