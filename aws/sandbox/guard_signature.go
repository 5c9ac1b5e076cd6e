package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"gantry/aws/sandbox/wire"
)

const (
	amzTime     = "20060102T150405Z"
	amzDate     = "20060102"
	maxSkew     = 5 * time.Minute // how far a signature's time may be off, as AWS has it
	bodyTimeout = 30 * time.Second
)

// signed lets requests through whose AWS Signature Version 4 was made with our
// key, now, over this very method, path, headers and body. Its refusals have
// the names and words of AWS's own.
func (g *guard) signed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := g.authenticate(w, r)
		if err != nil {
			wire.WriteError(w, r, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
		next.ServeHTTP(w, r)
	})
}

// authenticate checks a request and gives its body.
func (g *guard) authenticate(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	auth, err := readAuthorization(r)
	if err != nil {
		return nil, err
	}
	if !same(auth.AccessKeyID, g.key.id) {
		return nil, forbidden("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	signedAt, err := g.signingTime(r, auth)
	if err != nil {
		return nil, err
	}
	if auth.Region != region {
		return nil, invalidSignature("Credential should be scoped to a valid region. The sandbox has %s only.", region)
	}
	if err := checkSignedHeaders(r, auth); err != nil {
		return nil, err
	}
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	return body, g.checkSignature(r, auth, signedAt, body)
}

func readAuthorization(r *http.Request) (wire.Authorization, error) {
	query := r.URL.Query()
	if query.Has("X-Amz-Signature") || query.Has("X-Amz-Credential") || query.Has("X-Amz-Algorithm") {
		return wire.Authorization{}, forbidden("IncompleteSignatureException",
			"The sandbox takes no presigned requests: sign in the Authorization header.")
	}
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		return wire.Authorization{}, forbidden("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	auth, err := wire.ParseAuthorization(headers[0])
	if err != nil || len(headers) > 1 {
		return wire.Authorization{}, forbidden("IncompleteSignatureException", "The request signature does not conform to AWS standards: %v", err)
	}
	return auth, nil
}

// signingTime reads when the request was signed, and refuses what is too old
// or too new. That bounds how long a request that was seen can be sent again.
func (g *guard) signingTime(r *http.Request, auth wire.Authorization) (time.Time, error) {
	text := r.Header.Get("X-Amz-Date")
	if text == "" {
		return time.Time{}, forbidden("IncompleteSignatureException", "Authorization header requires existence of an 'X-Amz-Date' header.")
	}
	at, err := time.Parse(amzTime, text)
	if err != nil {
		return time.Time{}, forbidden("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'. Got %s.", quote(text))
	}
	if day := at.Format(amzDate); auth.Date != day {
		return time.Time{}, invalidSignature("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: %s != '%s', from '%s'.", quote(auth.Date), day, text)
	}
	now := g.now().UTC()
	if oldest := now.Add(-maxSkew); at.Before(oldest) {
		return time.Time{}, invalidSignature("Signature expired: %s is now earlier than %s (%s - 5 min.)", text, oldest.Format(amzTime), now.Format(amzTime))
	}
	if newest := now.Add(maxSkew); at.After(newest) {
		return time.Time{}, invalidSignature("Signature not yet current: %s is still later than %s (%s + 5 min.)", text, newest.Format(amzTime), now.Format(amzTime))
	}
	return at, nil
}

// checkSignedHeaders wants the signature to cover the host and every header
// that steers the call, so that none can be added or changed on the way. The
// content type may stay out, as with AWS: curl --aws-sigv4 does not sign its own.
func checkSignedHeaders(r *http.Request, auth wire.Authorization) error {
	signed := strings.Split(auth.SignedHeaders, ";")
	if !slices.Contains(signed, "host") {
		return invalidSignature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && !slices.Contains(signed, name) {
			return invalidSignature("There were headers present in the request which were not signed: %s", name)
		}
	}
	return nil
}

// readBody gives a slow client a limited time. The deadline is lifted again
// for the connection's next request.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(bodyTimeout)) // a connection that has none to set is a test's
	body, err := wire.ReadBody(w, r)
	_ = conn.SetReadDeadline(time.Time{})
	return body, err
}

// checkSignature signs the request anew with the SDK's own signer and compares.
func (g *guard) checkSignature(r *http.Request, auth wire.Authorization, at time.Time, body []byte) error {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if claimed := r.Header.Get("X-Amz-Content-Sha256"); claimed != "" && !same(claimed, hash) {
		return invalidSignature("The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	again := signedPart(r, auth, len(body))
	// A new signer each time: it caches keys by names that the request chooses.
	err := v4.NewSigner().SignHTTP(context.WithoutCancel(r.Context()),
		aws.Credentials{AccessKeyID: g.key.id, SecretAccessKey: g.key.secret},
		again, hash, auth.Service, auth.Region, at)
	if err != nil {
		return fmt.Errorf("sign the request anew: %w", err)
	}
	ours, err := wire.ParseAuthorization(again.Header.Get("Authorization"))
	if err != nil {
		return fmt.Errorf("read our own signature: %w", err)
	}
	if ours.SignedHeaders != auth.SignedHeaders || !same(ours.Signature, auth.Signature) {
		return invalidSignature("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return nil
}

// signedPart is the request as its signature covers it: only the headers that
// the client says it signed, so that the signer covers the same ones.
func signedPart(r *http.Request, auth wire.Authorization, length int) *http.Request {
	u := *r.URL
	u.Scheme = "http"
	part := &http.Request{Method: r.Method, URL: &u, Host: r.Host, Header: http.Header{}}
	for name := range strings.SplitSeq(auth.SignedHeaders, ";") {
		switch name {
		case "host":
		case "content-length":
			part.ContentLength = int64(length)
		default:
			name = http.CanonicalHeaderKey(name)
			if values, ok := r.Header[name]; ok {
				part.Header[name] = slices.Clone(values)
			}
		}
	}
	return part
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func invalidSignature(format string, args ...any) error {
	return forbidden("InvalidSignatureException", format, args...)
}

func forbidden(code, format string, args ...any) error {
	return &wire.Error{Code: code, Message: fmt.Sprintf(format, args...), Status: http.StatusForbidden}
}
