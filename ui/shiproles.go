package ui

import (
	"cmp"
	"slices"
	"strings"

	"gantry/internal/diagnose"
	"gantry/ui/pane"
)

// noRole is the choice of none.
const noRole = "none"

// roles offers the roles that tasks can take, the present one first, and none.
// A role that is not listed is typed as its ARN.
func (f *freshForm) roles(present string) func(typed string) []pane.Choice {
	var all []pane.Choice
	for _, r := range f.offer.roles {
		all = append(all, pane.Choice{Value: r.ARN, Label: r.Name, Note: r.Description})
	}
	all = append(all, pane.Choice{Value: noRole})
	present = cmp.Or(present, noRole)
	at := slices.IndexFunc(all, func(c pane.Choice) bool { return c.Value == present })
	if at < 0 {
		at = len(all)
		all = append(all, pane.Choice{Value: present})
	}
	chosen := all[at]
	all = slices.Insert(slices.Delete(all, at, at+1), 0, chosen)
	return func(typed string) []pane.Choice {
		cs := fitting(all, typed)
		if len(cs) == 0 && strings.HasPrefix(typed, "arn:") {
			return []pane.Choice{{Value: typed, Note: "as typed"}}
		}
		return cs
	}
}

// roleOf is the role that a field of the form holds, "" for none.
func roleOf(value string) string {
	if value = strings.TrimSpace(value); value != noRole {
		return value
	}
	return ""
}

// checkWhere refuses a network that cannot be, and roles that are none.
func (f *freshForm) checkWhere(values []string) error {
	refuse := func(cause, do string) error {
		return &diagnose.Error{What: "plan the new service", Cause: cause, Do: do}
	}
	if cause, do := f.offer.refuses(values[freshSubnets], values[freshGroups]); cause != "" {
		return refuse(cause, do)
	}
	if len(f.offer.roles) > 0 && (values[freshExecutionRole] == "" || values[freshTaskRole] == "") {
		return refuse("no role is called so", "choose one of those that are offered, none, or type an ARN")
	}
	if values[freshExec] == execOn && roleOf(values[freshTaskRole]) == "" {
		return refuse("exec needs a task role", "choose one, or exec off")
	}
	return nil
}
