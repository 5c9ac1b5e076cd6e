package ui

import (
	"cmp"
	"slices"
	"strings"

	"gantry/ui/pane"
)

// fitting are the choices that show what is typed, in either case. Those that
// begin with it come first: "mutable" means itself before "immutable".
func fitting(all []pane.Choice, typed string) []pane.Choice {
	typed = strings.ToLower(typed)
	rank := func(c pane.Choice) int {
		label := strings.ToLower(cmp.Or(c.Label, c.Value))
		last := label[strings.LastIndexByte(label, '/')+1:] // shop/web is called web as well
		switch {
		case typed == "" || label == typed || last == typed:
			return 0
		case strings.HasPrefix(label, typed) || strings.HasPrefix(last, typed):
			return 1
		case strings.Contains(label, typed):
			return 2
		}
		return unfit
	}
	fit := slices.DeleteFunc(slices.Clone(all), func(c pane.Choice) bool { return rank(c) == unfit })
	slices.SortStableFunc(fit, func(a, b pane.Choice) int { return cmp.Compare(rank(a), rank(b)) })
	return fit
}

// unfit is the rank of a choice that does not fit.
const unfit = 3

// containing offers the values that contain what is typed.
func containing(values ...string) func(string) []pane.Choice {
	all := make([]pane.Choice, len(values))
	for i, v := range values {
		all[i].Value = v
	}
	return func(typed string) []pane.Choice { return fitting(all, typed) }
}
