package docker

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/moby/moby/client"
)

// ImportImage makes an image of a root filesystem in a tar. changes are lines
// of a Dockerfile, such as ENTRYPOINT and LABEL.
func (c *Client) ImportImage(ctx context.Context, ref string, root io.Reader, changes []string) error {
	what := "import the image " + clean(ref)
	api, err := c.mutable(ctx, what)
	if err != nil {
		return err
	}
	repository, tag := splitTag(ref)
	answer, err := api.ImageImport(ctx, client.ImageImportSource{Source: root, SourceName: "-"}, repository, client.ImageImportOptions{Tag: tag, Changes: changes})
	if err != nil {
		return c.explain(what, err)
	}
	defer answer.Close()
	said, err := io.ReadAll(io.LimitReader(answer, 64<<10))
	if err == nil && strings.Contains(string(said), `"errorDetail"`) {
		err = errors.New(string(said))
	}
	return c.explain(what, err)
}
