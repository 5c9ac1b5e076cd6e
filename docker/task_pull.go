package docker

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// PullTaskImage fetches an image without telling of its progress, and returns
// the digest of its manifest, "" if the engine names none.
func (c *Client) PullTaskImage(ctx context.Context, ref, platform string, auth RegistryAuth) (digest string, err error) {
	what := "pull " + clean(ref)
	api, err := c.mutable(ctx, what)
	if err != nil {
		return "", err
	}
	wanted, err := parsePlatform(what, platform)
	if err != nil {
		return "", err
	}
	header, err := json.Marshal(registry.AuthConfig{Username: auth.Username, Password: auth.Password})
	if err != nil {
		return "", c.explain(what, err)
	}
	options := client.ImagePullOptions{RegistryAuth: authHeader(header)}
	if wanted != nil {
		options.Platforms = []ocispec.Platform{*wanted}
	}
	answer, err := api.ImagePull(ctx, ref, options)
	if err != nil {
		return "", c.explain(what, err)
	}
	defer answer.Close()
	for messages := json.NewDecoder(answer); ; {
		var m struct{ Status, Error string }
		err := messages.Decode(&m)
		switch {
		case errors.Is(err, io.EOF):
			return digest, nil
		case err != nil:
			return "", c.explain(what, err)
		case m.Error != "":
			return "", c.explain(what, errors.New(m.Error))
		}
		digest = digestOf(m.Status, digest)
	}
}

// authHeader is how the engine wants a login.
func authHeader(auth []byte) string { return base64.URLEncoding.EncodeToString(auth) }

// digestOf reads the message that names the digest.
func digestOf(status, otherwise string) string {
	if digest, found := strings.CutPrefix(status, "Digest: "); found {
		return digest
	}
	return otherwise
}
