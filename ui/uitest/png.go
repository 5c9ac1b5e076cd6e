package uitest

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	uv "github.com/charmbracelet/ultraviolet"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Debian's fonts-dejavu-core and fonts-vlgothic, tried in this order for every
// character.
var fontFiles = map[bool][]string{
	false: {"/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf", "/usr/share/fonts/truetype/vlgothic/VL-Gothic-Regular.ttf"},
	true:  {"/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf", "/usr/share/fonts/truetype/vlgothic/VL-Gothic-Regular.ttf"},
}

// The size of a cell, in pixels, that DejaVu Sans Mono at 14 points fills.
const (
	cellW, cellH = 9, 18
	baseline     = 14
	fontSize     = 14.5
)

var (
	paper = color.RGBA{0x16, 0x18, 0x21, 0xff}
	ink   = color.RGBA{0xd5, 0xd8, 0xe0, 0xff}
)

// Shot draws the screen into a PNG file when the environment names a folder
// for it in GANTRY_SHOTS; `make shots` does.
func (d *Display) Shot(name string) {
	d.tb.Helper()
	dir := os.Getenv("GANTRY_SHOTS")
	if dir == "" {
		return
	}
	faces := openFaces(d.tb)
	d.mu.Lock()
	img := d.draw(faces)
	d.mu.Unlock()
	f, err := os.Create(filepath.Join(dir, name+".png")) //nolint:gosec // the test names the file
	if err != nil {
		d.tb.Fatal(err)
	}
	if err := png.Encode(f, img); err != nil {
		d.tb.Fatal(err)
	}
	if err := f.Close(); err != nil {
		d.tb.Fatal(err)
	}
}

type faces map[bool][]font.Face

func openFaces(tb testing.TB) faces {
	tb.Helper()
	fs := faces{}
	for bold, files := range fontFiles {
		for _, file := range files {
			data, err := os.ReadFile(file) //nolint:gosec // a fixed list
			if err != nil {
				tb.Skipf("no font to draw with (apt install fonts-dejavu-core fonts-vlgothic): %v", err)
			}
			parsed, err := opentype.Parse(data)
			if err != nil {
				tb.Fatal(err)
			}
			face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: fontSize, DPI: 72, Hinting: font.HintingFull})
			if err != nil {
				tb.Fatal(err)
			}
			fs[bold] = append(fs[bold], face)
		}
	}
	return fs
}

func (d *Display) draw(fs faces) image.Image {
	w, h := d.emu.Width(), d.emu.Height()
	const margin = 8
	img := image.NewRGBA(image.Rect(0, 0, w*cellW+2*margin, h*cellH+2*margin))
	draw.Draw(img, img.Bounds(), image.NewUniform(paper), image.Point{}, draw.Src)
	for y := range h {
		for x := range w {
			if c := d.emu.CellAt(x, y); c != nil && c.Width > 0 {
				drawCell(img, fs, c, margin+x*cellW, margin+y*cellH)
			}
		}
	}
	return img
}

func drawCell(img draw.Image, fs faces, c *uv.Cell, x, y int) {
	fg, bg := colorOr(c.Style.Fg, ink), colorOr(c.Style.Bg, paper)
	if c.Style.Attrs&uv.AttrReverse != 0 {
		fg, bg = bg, fg
	}
	if c.Style.Attrs&uv.AttrFaint != 0 {
		fg = mix(fg, bg)
	}
	cell := image.Rect(x, y, x+c.Width*cellW, y+cellH)
	draw.Draw(img, cell, image.NewUniform(bg), image.Point{}, draw.Src)
	if c.Style.Underline != 0 {
		draw.Draw(img, image.Rect(x, y+cellH-2, cell.Max.X, y+cellH-1), image.NewUniform(fg), image.Point{}, draw.Src)
	}
	dot := fixed.P(x, y+baseline)
	for _, r := range c.Content {
		face := faceOf(fs[c.Style.Attrs&uv.AttrBold != 0], r)
		(&font.Drawer{Dst: img, Src: image.NewUniform(fg), Face: face, Dot: dot}).DrawString(string(r))
	}
}

func faceOf(fs []font.Face, r rune) font.Face {
	for _, f := range fs {
		if _, ok := f.GlyphAdvance(r); ok {
			return f
		}
	}
	return fs[0]
}

func colorOr(c, otherwise color.Color) color.Color {
	if c == nil {
		return otherwise
	}
	return c
}

func mix(a, b color.Color) color.Color {
	ar, ag, ab, _ := a.RGBA()
	br, bg, bb, _ := b.RGBA()
	half := func(x, y uint32) uint8 { return uint8((x + y) >> 9) } //nolint:gosec // two 16-bit values
	return color.RGBA{half(ar, br), half(ag, bg), half(ab, bb), 0xff}
}
