package sandbox

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The containers of a task meet in the network of one that does nothing but
// wait: it is there before the first of them and after the last. Its program is
// so small that it stands here, and no other image is needed for it:
//
//	rt_sigaction(SIGCHLD, SIG_IGN)	// children of others that come to it vanish
//	for { pause() }
//
// Assembled with llvm-mc from the lines beside the bytes.

var pauseAMD64 = []byte{
	0xb8, 0x0d, 0x00, 0x00, 0x00, // mov $13, %eax		rt_sigaction
	0xbf, 0x11, 0x00, 0x00, 0x00, // mov $17, %edi		SIGCHLD
	0x48, 0x8d, 0x35, 0x13, 0x00, 0x00, 0x00, // lea action(%rip), %rsi
	0x31, 0xd2, // xor %edx, %edx
	0x41, 0xba, 0x08, 0x00, 0x00, 0x00, // mov $8, %r10d
	0x0f, 0x05, // syscall
	0xb8, 0x22, 0x00, 0x00, 0x00, // again: mov $34, %eax	pause
	0x0f, 0x05, // syscall
	0xeb, 0xf7, // jmp again
}

var pauseARM64 = []byte{
	0xc8, 0x10, 0x80, 0xd2, // mov x8, #134		rt_sigaction
	0x20, 0x02, 0x80, 0xd2, // mov x0, #17		SIGCHLD
	0x81, 0x01, 0x00, 0x10, // adr x1, action
	0x02, 0x00, 0x80, 0xd2, // mov x2, #0
	0x03, 0x01, 0x80, 0xd2, // mov x3, #8
	0x01, 0x00, 0x00, 0xd4, // svc #0
	0x00, 0x00, 0x80, 0xd2, // again: mov x0, #0
	0x01, 0x00, 0x80, 0xd2, // mov x1, #0
	0x02, 0x00, 0x80, 0xd2, // mov x2, #0
	0x03, 0x00, 0x80, 0xd2, // mov x3, #0
	0x04, 0x00, 0x80, 0xd2, // mov x4, #0
	0x28, 0x09, 0x80, 0xd2, // mov x8, #73		ppoll, for want of pause
	0x01, 0x00, 0x00, 0xd4, // svc #0
	0xf9, 0xff, 0xff, 0x17, // b again
}

// pauseAction is the struct sigaction behind the code: the handler SIG_IGN, no
// flags, nothing masked.
var pauseAction = []byte{0: 1, 31: 0}

// The machines' numbers in an ELF header.
const (
	elfAMD64 = 62
	elfARM64 = 183
)

// pauseProgram is the program of the pause container for an architecture.
func pauseProgram(architecture string) ([]byte, error) {
	switch architecture {
	case "amd64", "x86_64":
		return elfFile(elfAMD64, append(bytes.Clone(pauseAMD64), pauseAction...)), nil
	case "arm64", "aarch64":
		return elfFile(elfARM64, append(bytes.Clone(pauseARM64), pauseAction...)), nil
	}
	return nil, fmt.Errorf("there is no pause program for the engine's architecture %q", architecture)
}

// elfFile is a static executable of one segment, which is the whole file.
func elfFile(machine uint16, code []byte) []byte {
	const (
		header, program = 64, 56
		base            = 0x400000
		page            = 0x10000 // the largest that Linux has
		readExecute     = 5
	)
	size := uint64(header + program + len(code))
	out := []byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 15: 0} // 64 bits, little endian
	le := binary.LittleEndian
	for _, half := range []uint16{2, machine} { // an executable
		out = le.AppendUint16(out, half)
	}
	out = le.AppendUint32(out, 1)
	for _, long := range []uint64{base + header + program, header, 0} { // entry, program headers, sections
		out = le.AppendUint64(out, long)
	}
	out = le.AppendUint32(out, 0)
	for _, half := range []uint16{header, program, 1, 0, 0, 0} {
		out = le.AppendUint16(out, half)
	}
	for _, word := range []uint32{1, readExecute} { // PT_LOAD
		out = le.AppendUint32(out, word)
	}
	for _, long := range []uint64{0, base, base, size, size, page} {
		out = le.AppendUint64(out, long)
	}
	return append(out, code...)
}

// pausePath is where the program is in its image.
const pausePath = "pause"

// pauseRoot is the root filesystem of the pause image, as a tar.
func pauseRoot(architecture string) (io.Reader, error) {
	program, err := pauseProgram(architecture)
	if err != nil {
		return nil, err
	}
	var root bytes.Buffer
	w := tar.NewWriter(&root)
	err = w.WriteHeader(&tar.Header{Name: pausePath, Mode: 0o755, Size: int64(len(program)), Typeflag: tar.TypeReg})
	if err == nil {
		_, err = w.Write(program)
	}
	return &root, errors.Join(err, w.Close())
}
