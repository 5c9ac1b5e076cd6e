package ui

import (
	"slices"
	"testing"

	"gantry/ui/pane"
)

func TestFitting(t *testing.T) {
	all := []pane.Choice{
		{Value: "1", Label: "immutable: a tag stays"},
		{Value: "2", Label: "mutable: a tag moves"},
		{Value: "3", Label: "shop/my-web"},
		{Value: "4", Label: "shop/web-admin"},
		{Value: "5", Label: "shop/web"},
		{Value: "Plain"},
	}
	for typed, want := range map[string][]string{
		"":        {"1", "2", "3", "4", "5", "Plain"},
		"mutable": {"2", "1"},
		"web":     {"5", "4", "3"},
		"WEB-":    {"4"},
		"plain":   {"Plain"},
		"nothing": nil,
	} {
		var got []string
		for _, c := range fitting(all, typed) {
			got = append(got, c.Value)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q offers %v, want %v", typed, got, want)
		}
	}
}
