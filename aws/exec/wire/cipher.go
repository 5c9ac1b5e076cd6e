package wire

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
)

// DataKeySize is how many bytes are asked of kms:GenerateDataKey.
const DataKeySize = 64

// The keys of the KMS encryption context. The challenge is part of it only
// when the agent sent one.
const (
	ContextSession   = "aws:ssm:SessionId"
	ContextTarget    = "aws:ssm:TargetId"
	ContextChallenge = "aws:ssm:RandomChallenge"
)

const nonceSize = 12

// Cipher encrypts what one end sends and decrypts what it receives:
// AES-256-GCM with the nonce in front of the text. It is safe for concurrent
// use.
type Cipher struct {
	seal, open cipher.AEAD
}

// NewClientCipher makes the client's Cipher of a 64-byte data key. The first
// half is the agent's sending key, the second the client's.
func NewClientCipher(dataKey []byte) (*Cipher, error) {
	return newCipher(dataKey, DataKeySize/2, 0)
}

// NewAgentCipher makes the agent's Cipher of the same data key.
func NewAgentCipher(dataKey []byte) (*Cipher, error) {
	return newCipher(dataKey, 0, DataKeySize/2)
}

func newCipher(dataKey []byte, sealAt, openAt int) (*Cipher, error) {
	if len(dataKey) != DataKeySize {
		return nil, fmt.Errorf("data key of %d bytes, not %d", len(dataKey), DataKeySize)
	}
	seal, err := newGCM(dataKey[sealAt : sealAt+DataKeySize/2])
	if err != nil {
		return nil, fmt.Errorf("sending key: %w", err)
	}
	open, err := newGCM(dataKey[openAt : openAt+DataKeySize/2])
	if err != nil {
		return nil, fmt.Errorf("receiving key: %w", err)
	}
	return &Cipher{seal: seal, open: open}, nil
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Seal encrypts plain under a fresh random nonce.
func (c *Cipher) Seal(plain []byte) []byte {
	out := make([]byte, nonceSize, nonceSize+len(plain)+c.seal.Overhead())
	rand.Read(out) // never fails: it ends the program instead
	return c.seal.Seal(out, out[:nonceSize], plain, nil)
}

// Open decrypts what the peer sealed.
func (c *Cipher) Open(sealed []byte) ([]byte, error) {
	if len(sealed) < nonceSize+c.open.Overhead() {
		return nil, errors.New("encrypted payload is too short")
	}
	plain, err := c.open.Open(nil, sealed[:nonceSize], sealed[nonceSize:], nil)
	if err != nil {
		return nil, fmt.Errorf("decrypt payload: %w", err)
	}
	return plain, nil
}

// Encrypted says whether a payload of this type is encrypted once a session
// uses KMS; the handshake itself never is.
func Encrypted(t PayloadType) bool {
	return t == Output || t == StdErr || t == ExitCode
}
