package wire

import (
	"context"
	"fmt"
	"reflect"
	"strings"
)

// Operation is one operation of a service, with the function that answers it.
type Operation struct {
	// Name is what the wire calls it: "DescribeTasks".
	Name string

	input reflect.Type // the Input struct
	run   func(ctx context.Context, input any) (output reflect.Value, err error)
}

// Op makes an Operation of a function whose I is the SDK's Input struct of the
// operation and whose O is its Output struct, which name the operation. Structs
// of other names, or of two operations, are a mistake of the program and panic.
//
// A backend lists its operations rather than have its methods looked up: to
// find a method by reflection makes the linker keep every exported method of
// every type, whole SDK clients among them.
func Op[I, O any](answer func(context.Context, *I) (*O, error)) Operation {
	input, output := reflect.TypeFor[I](), reflect.TypeFor[O]()
	name, ok := strings.CutSuffix(input.Name(), "Input")
	if !ok || name == "" || output.Name() != name+"Output" || input.Kind() != reflect.Struct || output.Kind() != reflect.Struct {
		panic(fmt.Sprintf("wire: %s and %s are not the input and the output of one operation", input, output))
	}
	return Operation{
		Name:  name,
		input: input,
		run: func(ctx context.Context, input any) (reflect.Value, error) {
			out, err := answer(ctx, input.(*I))
			return reflect.ValueOf(out), err
		},
	}
}
