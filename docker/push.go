package docker

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"
)

// Push sends an image of this engine, named REPOSITORY:TAG with the registry in
// the name, to that registry and returns the manifest's digest there. The zero
// auth takes the account of the user's docker configuration, if that has one.
//
// progress gets the latest state, at most twenty times a second, from one
// goroutine, and the last one when all is over. A slow receiver slows no push.
// The end of ctx stops the push in the engine; the error is ctx's then. Any
// other failure is a *diagnose.Error.
func (c *Client) Push(ctx context.Context, ref string, auth RegistryAuth, progress func(TransferProgress)) (digest string, err error) {
	what := "push " + clean(ref)
	api, err := c.mutable(ctx, what)
	if err != nil {
		return "", err
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", badReference(what, ref, err)
	}
	if _, byDigest := named.(reference.Digested); byDigest {
		return "", badReference(what, ref, errors.New("a push needs a tag, not a digest"))
	}
	p := passage{what: what, ref: reference.TagNameOnly(named)}
	header, err := p.header(auth)
	if err != nil {
		return "", c.explain(what, err)
	}
	d := deliver(newTransfer(), progress)
	defer d.close()
	answer, err := api.ImagePush(ctx, p.ref.String(), client.ImagePushOptions{RegistryAuth: header})
	if err == nil {
		defer answer.Close()
		err = follow(ctx, answer, d)
	}
	d.update(func(t *transfer) { digest = t.digest })
	if err == nil && digest == "" {
		err = errors.New("the engine ended the push without a digest")
	}
	if err != nil {
		return "", c.explainTransfer(ctx, p, err)
	}
	d.update((*transfer).finish)
	return digest, nil
}

// PushCommand is the equal of Push.
func PushCommand(ref string) Command { return Command{"push", ref} }

// encodeAccount is the form of the header X-Registry-Auth.
func encodeAccount(account registry.AuthConfig) (string, error) {
	data, err := json.Marshal(account) //nolint:gosec // it goes to the engine, and nowhere else
	return base64.URLEncoding.EncodeToString(data), err
}
