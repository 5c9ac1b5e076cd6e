package sandbox

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// seal makes opaque tokens that hold one number each and that nobody else can
// make: the place where a page ended, or the time at which a right ends.
type seal struct{ key []byte }

func newSeal() seal { return seal{[]byte(rand.Text())} }

// close makes a token. It can be opened under the same name only.
func (s seal) close(name string, number uint64) string {
	raw := binary.BigEndian.AppendUint64(nil, number)
	return base64.RawURLEncoding.EncodeToString(append(raw, s.sign(name, raw)...))
}

func (s seal) open(name, token string) (number uint64, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != 8+sha256.Size || !hmac.Equal(raw[8:], s.sign(name, raw[:8])) {
		return 0, false
	}
	return binary.BigEndian.Uint64(raw), true
}

func (s seal) sign(name string, raw []byte) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(name))
	mac.Write(raw)
	return mac.Sum(nil)
}
