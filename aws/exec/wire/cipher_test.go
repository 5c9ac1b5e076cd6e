package wire

import (
	"bytes"
	"crypto/rand"
	"testing"
)

func TestCiphersOfBothEndsMatch(t *testing.T) {
	key := make([]byte, DataKeySize)
	rand.Read(key)
	client, err := NewClientCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	agent, err := NewAgentCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	text := []byte("secret")
	for name, ends := range map[string][2]*Cipher{"to agent": {client, agent}, "to client": {agent, client}} {
		got, err := ends[1].Open(ends[0].Seal(text))
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if _, err := ends[0].Open(ends[0].Seal(text)); err == nil {
			t.Errorf("%s: an end reads its own messages", name)
		}
	}
	for n := range 40 {
		if _, err := client.Open(make([]byte, n)); err == nil {
			t.Errorf("opened %d zero bytes", n)
		}
	}
}

func TestCipherWantsAWholeKey(t *testing.T) {
	for _, n := range []int{0, 32, 63, 65} {
		if _, err := NewClientCipher(make([]byte, n)); err == nil {
			t.Errorf("took a key of %d bytes", n)
		}
	}
}
