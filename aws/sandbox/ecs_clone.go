package sandbox

import "reflect"

// clone copies an SDK value deeply, so that what a caller sends and what it
// gets is never shared with the state. The SDK's types are trees of exported
// fields: pointers, slices, maps, unions and plain values, time.Time among them.
func clone[T any](v T) T {
	from := reflect.ValueOf(&v).Elem()
	to := reflect.New(from.Type()).Elem()
	copyDeep(to, from)
	return to.Interface().(T)
}

func copyDeep(to, from reflect.Value) {
	switch from.Kind() {
	case reflect.Pointer:
		if !from.IsNil() {
			to.Set(reflect.New(from.Type().Elem()))
			copyDeep(to.Elem(), from.Elem())
		}
	case reflect.Interface:
		if !from.IsNil() {
			held := reflect.New(from.Elem().Type()).Elem()
			copyDeep(held, from.Elem())
			to.Set(held)
		}
	case reflect.Slice:
		if !from.IsNil() {
			to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
			for i := range from.Len() {
				copyDeep(to.Index(i), from.Index(i))
			}
		}
	case reflect.Map:
		if !from.IsNil() {
			to.Set(reflect.MakeMapWithSize(from.Type(), from.Len()))
			for pairs := from.MapRange(); pairs.Next(); {
				value := reflect.New(from.Type().Elem()).Elem()
				copyDeep(value, pairs.Value())
				to.SetMapIndex(pairs.Key(), value)
			}
		}
	case reflect.Struct:
		to.Set(from)
		for i := range from.NumField() {
			if from.Type().Field(i).IsExported() {
				copyDeep(to.Field(i), from.Field(i))
			}
		}
	default:
		to.Set(from)
	}
}
