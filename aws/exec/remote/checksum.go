package remote

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// checksum is computed on both sides of a copy.
type checksum struct {
	hash.Hash
	command string // prints it for its input; "" where the container has none
}

// newChecksum takes the best that the container has.
func (s *Shell) newChecksum() checksum {
	switch {
	case s.tools["sha256sum"]:
		return checksum{sha256.New(), "sha256sum"}
	case s.tools["cksum"]:
		return checksum{newCRC(), "cksum"}
	}
	return checksum{sha256.New(), ""}
}

// text is the checksum as its command prints it.
func (c checksum) text() string {
	if crc, ok := c.Hash.(*crc); ok {
		return crc.text()
	}
	return hex.EncodeToString(c.Sum(nil))
}

// matches compares with what the command printed, which adds a name or spaces.
func (c checksum) matches(printed string) bool {
	got := strings.Fields(printed)
	want := strings.Fields(c.text())
	if len(got) < len(want) {
		return false
	}
	for i := range want {
		if got[i] != want[i] {
			return false
		}
	}
	return true
}

// crc is the checksum of the POSIX utility cksum: a CRC-32 whose bits are not
// reflected, over the data and then its length.
type crc struct {
	state  uint32
	length uint64
}

// polynomial is the one that POSIX gives for cksum.
const polynomial = 0x04c11db7

var crcTable = func() (table [256]uint32) {
	for i := range table {
		c := uint32(i) << 24
		for range 8 {
			carry := c & (1 << 31)
			c <<= 1
			if carry != 0 {
				c ^= polynomial
			}
		}
		table[i] = c
	}
	return table
}()

func newCRC() *crc { return &crc{} }

func (c *crc) Write(p []byte) (int, error) {
	for _, b := range p {
		c.state = c.state<<8 ^ crcTable[byte(c.state>>24)^b]
	}
	c.length += uint64(len(p))
	return len(p), nil
}

func (c *crc) text() string {
	state := c.state
	for n := c.length; n > 0; n >>= 8 {
		state = state<<8 ^ crcTable[byte(state>>24)^byte(n)] // its lowest byte
	}
	return fmt.Sprintf("%d %d", ^state, c.length)
}

func (c *crc) Sum(b []byte) []byte { return append(b, c.text()...) }
func (c *crc) Reset()              { *c = crc{} }
func (c *crc) Size() int           { return 4 }
func (c *crc) BlockSize() int      { return 1 }
