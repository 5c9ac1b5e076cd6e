package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
)

// listed is anything that stands in a list: its number gives it its place for
// as long as it lives, so a page is right even when items before it vanish.
type listed interface{ place() uint64 }

// query is one list request: what is asked, and which part of the answer.
type query struct {
	name     string // operation and filters; a token is valid for the same ones only
	fallback int32  // page size if none is asked for
	limit    int32  // largest page size
	asked    *int32
	token    *string
}

// page returns the items of one page of all, which stand in order, and the
// token of the next one (nil at the end).
func page[T listed](b *ecsBackend, q query, all []T) ([]T, *string, error) {
	size := q.fallback
	if q.asked != nil {
		size = *q.asked
	}
	if size < 1 || size > q.limit {
		return nil, nil, invalidParameter("maxResults must be between 1 and %d.", q.limit)
	}
	if q.token != nil && *q.token != "" {
		after, ok := b.readToken(q.name, *q.token)
		if !ok {
			return nil, nil, invalidParameter("Invalid token.")
		}
		for len(all) > 0 && all[0].place() <= after {
			all = all[1:]
		}
	}
	if len(all) <= int(size) {
		return all, nil, nil
	}
	all = all[:size]
	next := b.writeToken(q.name, all[size-1].place())
	return all, &next, nil
}

// writeToken makes an opaque, signed token that names the last item of a page.
func (b *ecsBackend) writeToken(name string, last uint64) string {
	raw := binary.BigEndian.AppendUint64(nil, last)
	return base64.RawURLEncoding.EncodeToString(append(raw, b.sign(name, raw)...))
}

func (b *ecsBackend) readToken(name, token string) (last uint64, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != 8+sha256.Size || !hmac.Equal(raw[8:], b.sign(name, raw[:8])) {
		return 0, false
	}
	return binary.BigEndian.Uint64(raw), true
}

func (b *ecsBackend) sign(name string, raw []byte) []byte {
	mac := hmac.New(sha256.New, b.tokenKey)
	mac.Write([]byte(name))
	mac.Write(raw)
	return mac.Sum(nil)
}

// question names a query: the operation and every filter.
func question(parts ...string) string { return strings.Join(parts, "\x00") }
