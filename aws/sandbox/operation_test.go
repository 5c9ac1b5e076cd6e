package sandbox

import (
	"reflect"
	"slices"
	"testing"

	"gantry/aws/sandbox/wire"
)

// TestNoOperationIsForgotten holds the backends' lists against their methods.
func TestNoOperationIsForgotten(t *testing.T) {
	for _, backend := range []interface{ operations() []wire.Operation }{
		&ecsBackend{}, &execBackend{}, &ecrBackend{}, ssmBackend{}, &kmsBackend{}, stsBackend{}, ec2Backend{}, iamBackend{}, &logsBackend{},
	} {
		t.Run(reflect.TypeOf(backend).String(), func(t *testing.T) {
			var listed []string
			for _, op := range backend.operations() {
				listed = append(listed, op.Name)
			}
			slices.Sort(listed)
			if methods := operationMethods(reflect.TypeOf(backend)); !slices.Equal(listed, methods) {
				t.Errorf("listed   %q\nmethods  %q", listed, methods)
			}
		})
	}
}

// operationMethods names the methods of t that take and return the structs of
// an SDK operation, in order.
func operationMethods(t reflect.Type) []string {
	var names []string
	for method := range t.Methods() {
		const inputs, outputs = 3, 2 // receiver, context, input; output, error
		if f := method.Type; f.NumIn() == inputs && f.NumOut() == outputs &&
			isPointerTo(f.In(2), method.Name+"Input") && isPointerTo(f.Out(0), method.Name+"Output") {
			names = append(names, method.Name)
		}
	}
	return names
}

func isPointerTo(t reflect.Type, name string) bool {
	return t.Kind() == reflect.Pointer && t.Elem().Name() == name
}
