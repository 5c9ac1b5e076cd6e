package screen

import (
	"reflect"
	"unsafe"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

// dataSize is the emulator's buffer for the strings of OSC sequences. The
// reader lets none through that is longer than maxString.
const dataSize = maxString + 64

// slim takes two things away from an emulator that x/vt offers no setting for:
// 4 MB of buffer for strings, and 10,000 lines of history behind the alternate
// screen, which nobody can scroll to (some 100 MB after a long look through a
// wide file). Each field is used only if it has the expected type, so another
// version of x/vt costs memory, never correctness; a test tells.
func slim(e *vt.Emulator) (buffer, history bool) {
	if p, ok := field[*ansi.Parser](e, "parser"); ok {
		(*p).SetDataSize(dataSize)
		buffer = true
	}
	if screens, ok := field[[2]vt.Screen](e, "scrs"); ok {
		screens[1].SetScrollback(nil)
		history = true
	}
	return buffer, history
}

// field is the address of an unexported field, if there is one of type T.
func field[T any](e *vt.Emulator, name string) (*T, bool) {
	f := reflect.ValueOf(e).Elem().FieldByName(name)
	if !f.IsValid() || f.Type() != reflect.TypeFor[T]() {
		return nil, false
	}
	return (*T)(unsafe.Pointer(f.UnsafeAddr())), true //nolint:gosec // audited: the type was compared
}
