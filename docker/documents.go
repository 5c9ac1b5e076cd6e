package docker

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/moby/moby/client"

	"gantry/internal/secret"
)

// InspectContainer is everything the engine says about a container, as a tree
// of map[string]any, []any and plain values with the API's own key names, ready
// for YAML. Values that look secret are masked.
func (c *Client) InspectContainer(ctx context.Context, id string) (any, error) {
	what := "inspect container " + short(id)
	ctx, cancel := c.within(ctx)
	defer cancel()
	api, err := c.api(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	out, err := api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return nil, c.explain(what, err)
	}
	tree, err := document(out.Raw)
	return tree, c.explain(what, err)
}

// InspectImage is everything the engine says about an image, as
// InspectContainer has it.
func (c *Client) InspectImage(ctx context.Context, ref string) (any, error) {
	what := "inspect image " + ref
	ctx, cancel := c.within(ctx)
	defer cancel()
	api, err := c.api(ctx)
	if err != nil {
		return nil, c.explain(what, err)
	}
	var raw bytes.Buffer
	if _, err := api.ImageInspect(ctx, ref, client.ImageInspectWithRawResponse(&raw)); err != nil {
		return nil, c.explain(what, err)
	}
	tree, err := document(raw.Bytes())
	return tree, c.explain(what, err)
}

// document decodes an answer and masks it.
func document(raw []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, err
	}
	return mask("", tree), nil
}

// The keys of an inspect answer whose children need more than a look at the
// value itself.
var (
	environments = map[string]bool{"Env": true}
	commandLines = map[string]bool{"Cmd": true, "Entrypoint": true, "Args": true, "Test": true, "OnBuild": true, "Shell": true}
	byName       = map[string]bool{"Labels": true, "Config": true, "Annotations": true, "Options": true, "DriverOpts": true}
)

// mask hides what looks secret below a key, in place, and turns numbers into
// plain ones.
func mask(key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, child := range v {
			text, isText := child.(string)
			if isText && byName[key] {
				v[name] = secret.Pair(name, text)
				continue
			}
			v[name] = mask(name, child)
		}
	case []any:
		return maskList(key, v)
	case string:
		return secret.Line(v)
	case json.Number:
		return number(v)
	}
	return v
}

func maskList(key string, list []any) any {
	words := make([]string, 0, len(list))
	for i, child := range list {
		text, isText := child.(string)
		if !isText {
			list[i] = mask("", child)
			continue
		}
		words = append(words, text)
		list[i] = secret.Line(text)
		if environments[key] {
			list[i] = secret.Assignment(text)
		}
	}
	if !commandLines[key] || len(words) != len(list) {
		return list
	}
	for i, text := range secret.Arguments(words) {
		list[i] = text
	}
	return list
}

// number keeps whole numbers whole: sizes in bytes do not fit a float64's text.
func number(n json.Number) any {
	if whole, err := n.Int64(); err == nil {
		return whole
	}
	broken, err := n.Float64()
	if err != nil {
		return n.String()
	}
	return broken
}
