package screen

import (
	"fmt"
	"strings"
	"testing"
)

// piece is how much the pane writes at a time.
const piece = 8 << 10

func streams() map[string][]byte {
	var seq, colours, long, wide, listing []byte
	for i := range 20000 {
		seq = fmt.Appendf(seq, "%d\r\n", 2000000+i)
		colours = fmt.Appendf(colours, "\x1b[32m2026-11-23\x1b[0m \x1b[1mINFO\x1b[m request %d took \x1b[33m%dms\x1b[0m\r\n", i, i%97)
		wide = fmt.Appendf(wide, "%d 日本語のログ行です naïve\r\n", i)
		listing = fmt.Appendf(listing, "drwxr-xr-x\t2 root root\t%d\tname-%d\r\n", i, i)
	}
	for range 2000 {
		long = fmt.Appendf(long, "%s\r\n", strings.Repeat("a long line that wraps ", 20))
	}
	redraw := []byte{}
	for i := range 500 {
		redraw = fmt.Appendf(redraw, "\x1b[H")
		for y := range 26 {
			redraw = fmt.Appendf(redraw, "\x1b[%d;1H\x1b[K\x1b[3%dmrow %d of frame %d\x1b[m", y+1, y%8, y, i)
		}
	}
	rewide := []byte{}
	for range 500 {
		for y := range 26 {
			rewide = fmt.Appendf(rewide, "\x1b[%d;1H日本語の画面 naïve ─┼─ 日本語の画面", y+1)
		}
	}
	return map[string][]byte{"rewide": rewide, "seq": seq, "colours": colours, "long": long, "wide": wide, "tabs": listing, "redraw": redraw}
}

func BenchmarkWrite(b *testing.B) {
	for _, name := range []string{"seq", "colours", "long", "wide", "tabs", "redraw", "rewide"} {
		stream := streams()[name]
		b.Run(name+"/here", func(b *testing.B) {
			s := open(b, 82, 27, 2000)
			b.SetBytes(int64(len(stream)))
			for b.Loop() {
				for p := stream; len(p) > 0; {
					n := min(piece, len(p))
					_, _ = s.Write(p[:n])
					p = p[n:]
				}
			}
		})
		b.Run(name+"/stock", func(b *testing.B) {
			e := stock(b, 82, 27)
			e.Scrollback().SetMaxLines(2000)
			b.SetBytes(int64(len(stream)))
			for b.Loop() {
				_, _ = e.Write(stream)
			}
		})
	}
}
