package wire

import (
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/aws/smithy-go/middleware"
)

// codec knows how one service's Go types are spelt. What it learns of a type
// it keeps, so that reflection over field names happens once.
type codec struct {
	lowerKeys bool
	spellings map[string]string
	unions    []reflect.Type // pointers to member structs
	document  func(v any) any
	shapes    sync.Map // reflect.Type of a struct -> *shape
}

// shape is what the codec knows of a struct type.
type shape struct {
	fields []field
	byName map[string]int // lower-case wire name -> index in fields
}

type field struct {
	index int
	name  string // as the wire spells it
	key   string // `"name":`
}

var (
	timeType     = reflect.TypeFor[time.Time]()
	metadataType = reflect.TypeFor[middleware.Metadata]()
)

func newCodec(s Service) *codec {
	c := &codec{lowerKeys: s.LowerKeys, spellings: s.Spellings, document: s.Document}
	for _, member := range s.Unions {
		c.unions = append(c.unions, reflect.TypeOf(member))
	}
	return c
}

func (c *codec) shape(t reflect.Type) *shape {
	if known, ok := c.shapes.Load(t); ok {
		return known.(*shape)
	}
	known, _ := c.shapes.LoadOrStore(t, c.learn(t))
	return known.(*shape)
}

func (c *codec) learn(t reflect.Type) *shape {
	s := &shape{byName: map[string]int{}}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() || f.Type == metadataType {
			continue
		}
		name := c.spell(f.Name)
		if special, ok := c.spellings[t.Name()+"."+f.Name]; ok {
			name = special
		}
		s.byName[strings.ToLower(name)] = len(s.fields)
		s.fields = append(s.fields, field{index: i, name: name, key: `"` + name + `":`})
	}
	return s
}

// spell gives the wire's name of a Go field. The SDK's generator only raises
// the first letter of a member's name.
func (c *codec) spell(name string) string {
	if !c.lowerKeys {
		return name
	}
	return strings.ToLower(name[:1]) + name[1:]
}

// memberName gives a union member's wire name. The SDK names its struct
// <Union>Member<Name>, with one field Value.
func (c *codec) memberName(union, member reflect.Type) (string, bool) {
	name, ok := strings.CutPrefix(member.Name(), union.Name()+"Member")
	if !ok || name == "" || member.Kind() != reflect.Struct {
		return "", false
	}
	_, ok = member.FieldByName("Value")
	return c.spell(name), ok
}

// omitted reports whether a field is absent from the wire: a nil pointer,
// list, map, blob or union, and an enum that was not set. Numbers and booleans
// that are no pointers are always there, as AWS sends them (runningCount 0).
func omitted(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	default:
		return false
	}
}
