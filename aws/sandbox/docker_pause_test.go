package sandbox

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"slices"
	"testing"
)

func TestPausePrograms(t *testing.T) {
	for architecture, want := range map[string]struct {
		machine elf.Machine
		code    []byte
		load    func(code []byte) uint64 // where the code looks for the struct sigaction
	}{
		"amd64": {elf.EM_X86_64, pauseAMD64, func(code []byte) uint64 {
			return 17 + uint64(binary.LittleEndian.Uint32(code[13:])) // behind the lea
		}},
		"arm64": {elf.EM_AARCH64, pauseARM64, func(code []byte) uint64 {
			return 8 + uint64(binary.LittleEndian.Uint32(code[8:])>>5&0x7ffff)<<2 // from the adr
		}},
	} {
		t.Run(architecture, func(t *testing.T) {
			program, err := pauseProgram(architecture)
			if err != nil {
				t.Fatal(err)
			}
			f, err := elf.NewFile(bytes.NewReader(program))
			if err != nil {
				t.Fatal(err)
			}
			if f.Machine != want.machine || f.Type != elf.ET_EXEC || len(f.Progs) != 1 {
				t.Fatalf("header: %+v, %d segments", f.FileHeader, len(f.Progs))
			}
			p := f.Progs[0]
			if p.Type != elf.PT_LOAD || p.Flags != elf.PF_R|elf.PF_X || p.Filesz != uint64(len(program)) || p.Memsz != p.Filesz || p.Vaddr%p.Align != 0 {
				t.Errorf("segment: %+v", p.ProgHeader)
			}
			code := program[f.Entry-p.Vaddr:]
			if !bytes.HasPrefix(code, want.code) {
				t.Error("the entry is not where the code begins")
			}
			if action := code[want.load(code):]; !slices.Equal(action, pauseAction) {
				t.Errorf("the action is not where the code looks for it: %x", action)
			}
		})
	}
	if _, err := pauseProgram("riscv64"); err == nil {
		t.Error("a program for riscv64")
	}
}
