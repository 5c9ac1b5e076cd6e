package remote

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"gantry/internal/diagnose"
)

// Upload copies a local file or folder into the container: to dst, or into it
// under its own name if dst is a folder there. Modes are kept. A file replaces
// a file and nothing else, a folder replaces nothing. What arrives is compared
// by checksum, and appears under its name only when it is complete. Links and
// devices within a folder are skipped and counted. The error is ctx's or a
// *diagnose.Error; then nothing is left in the container, provided that its
// terminal still listens.
func (s *Shell) Upload(ctx context.Context, src, dst string, report Report) (Copied, error) {
	what := fmt.Sprintf("copy %s into the container", sanitise(src))
	target, err := remotePath(dst)
	if err != nil {
		return Copied{}, err
	}
	info, err := os.Stat(src)
	if err != nil {
		return Copied{}, &diagnose.Error{What: what, Cause: plain(err), Do: "name a file or folder that can be read", Err: err}
	}
	base := filepath.Base(src)
	if abs, err := filepath.Abs(src); err == nil {
		base = filepath.Base(abs) // of "." too
	}
	count := &tally{report: report}
	switch {
	case info.Mode().IsRegular():
		err = s.uploadFile(ctx, src, info, destination{target, base, fileTarget}, count)
	case info.IsDir():
		err = s.uploadFolder(ctx, src, destination{target, base, folderTarget}, count)
	default:
		err = &diagnose.Error{What: what, Cause: "it is a " + kind(info.Mode()), Do: "copy a file or a folder"}
	}
	if err != nil {
		return Copied{}, failed(what, err)
	}
	return count.Copied, nil
}

// plain is the error without the operation and the path.
func plain(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// kind names what is neither a file nor a folder.
func kind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}

// destination is where something goes in the container.
type destination struct {
	dst, base string
	taken     string // a test of the shell's for what must not be at $d
}

const (
	fileTarget   = `[ -d "$d" ]`
	folderTarget = `[ -e "$d" ] || [ -L "$d" ]`
)

// The exit statuses of the preparation.
const (
	noFolder = 3
	inTheWay = 4
	notMade  = 5
)

// prepare sets d to where the copy goes and t to a new folder beside it, to
// which nobody else has access.
func (s *Shell) prepare(ctx context.Context, at destination) error {
	for _, tool := range []string{"mkdir", "mv", "rm"} {
		if !s.tools[tool] {
			return &diagnose.Error{What: "copy into the container", Cause: "it has no " + tool, Do: "copy into a container that has one"}
		}
	}
	script := fmt.Sprintf(`d=%s;b=%s;t=
[ -d "$d" ] && d=${d%%/}/$b
p=${d%%/*}
if [ "${d%%/}" != "$d" ] || [ ! -d "$p/" ]; then (exit %d)
elif %s; then (exit %d)
elif m=$(umask 077; mkdir "$p/%[7]s" 2>&1); then t=$p/%[7]s
else printf "%%s" "$m"; (exit %[6]d)
fi`, quote(at.dst), quote(at.base), noFolder, at.taken, inTheWay, notMade, temporary())
	var said strings.Builder
	status, err := s.ask(ctx, script, &said)
	if err != nil || status == 0 {
		return err
	}
	told := &diagnose.Error{What: "copy into the container", Do: "choose another target"}
	switch status {
	case noFolder:
		told.Cause = "there is no folder " + sanitise(strings.TrimPrefix(path.Dir(strings.TrimSuffix(at.dst, "/")), "./"))
		if strings.HasSuffix(at.dst, "/") {
			told.Cause = sanitise(at.dst) + " is no folder"
		}
	case inTheWay:
		told.Cause = "a folder of that name is there already, and a file cannot replace it"
		if at.taken == folderTarget {
			told.Cause = sanitise(at.dst) + " is there already, and a folder replaces nothing"
		}
	default:
		told.Cause = s.words(said.String(), status)
	}
	return told
}

// settle gives what is complete its mode and its name. The path is within double
// quotes.
func (s *Shell) settle(ctx context.Context, path string, mode fs.FileMode) error {
	return s.must(ctx, fmt.Sprintf(`%s; mv -f "%s" "$d" && rm -rf "$t" && t=`, s.chmod(mode, path), path))
}

// chmod is the command for that, where the container has it. The path is
// within double quotes.
func (s *Shell) chmod(mode fs.FileMode, path string) string {
	if !s.tools["chmod"] {
		return ":"
	}
	return fmt.Sprintf(`chmod %o "%s"`, mode.Perm(), path)
}

// must runs a script that is to succeed.
func (s *Shell) must(ctx context.Context, script string) error {
	var said strings.Builder
	status, err := s.ask(ctx, "{ "+script+"\n} 2>&1", &said)
	if err == nil && status != 0 {
		err = fmt.Errorf("write in the container: %s", s.words(said.String(), status))
	}
	return err
}

func (s *Shell) uploadFile(ctx context.Context, src string, info fs.FileInfo, to destination, count *tally) error {
	f, err := os.Open(src) //nolint:gosec // the user names it
	if err != nil {
		return err
	}
	defer f.Close()
	if err := s.prepare(ctx, to); err != nil {
		return err
	}
	count.total = info.Size()
	if err := s.put(ctx, `"$t/f"`, io.TeeReader(f, count)); err != nil {
		return s.undo(err)
	}
	count.Files = 1
	return s.undo(s.settle(ctx, "$t/f", info.Mode()))
}

// undo removes what a failed copy has left in the container.
func (s *Shell) undo(err error) error {
	if err != nil {
		s.abandon("\n")
	}
	return err
}

func (s *Shell) uploadFolder(ctx context.Context, src string, to destination, count *tally) error {
	root, err := os.OpenRoot(src)
	if err != nil {
		return err
	}
	defer root.Close()
	entries, err := survey(ctx, root, count)
	if err != nil {
		return err
	}
	if err := s.prepare(ctx, to); err != nil {
		return err
	}
	if s.tools["tar"] {
		err = s.uploadArchive(ctx, root, entries, count)
	} else {
		err = s.uploadEach(ctx, root, entries, count)
	}
	if err == nil {
		err = s.closeFolders(ctx, entries)
	}
	if err == nil {
		err = s.settle(ctx, "$t/d", entries[0].mode)
	}
	return s.undo(err)
}

// entry is a file or folder of the folder to copy; the first is that itself.
type entry struct {
	name string // slash-separated, "." for the first
	mode fs.FileMode
	size int64
}

// survey lists a folder, folders before what is in them. It does not use
// fs.WalkDir, which knows no names but valid UTF-8.
func survey(ctx context.Context, root *os.Root, count *tally) ([]entry, error) {
	info, err := root.Stat(".")
	if err != nil {
		return nil, err
	}
	entries := []entry{{name: ".", mode: info.Mode()}}
	for i := 0; i < len(entries); i++ {
		if !entries[i].mode.IsDir() {
			continue
		}
		if entries, err = surveyFolder(root, entries[i].name, entries, count); err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return entries, nil
}

// surveyFolder appends what is in one folder.
func surveyFolder(root *os.Root, name string, entries []entry, count *tally) ([]entry, error) {
	dir, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	found, err := dir.Readdir(-1)
	if err != nil {
		return nil, err
	}
	for _, info := range found {
		e := entry{name: path.Join(name, info.Name()), mode: info.Mode()}
		switch {
		case e.mode.IsRegular():
			e.size = info.Size()
			count.total += e.size
		case !e.mode.IsDir():
			count.skip(e.name, kind(e.mode))
			continue
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// openEntry opens a file of the survey, provided that it still is one.
func openEntry(root *os.Root, e entry) (*os.File, error) {
	if info, err := root.Lstat(filepath.FromSlash(e.name)); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file any more", sanitise(e.name))
	}
	return root.Open(filepath.FromSlash(e.name))
}

// uploadArchive sends the folder as a tar archive, which is checked before it
// is unpacked.
func (s *Shell) uploadArchive(ctx context.Context, root *os.Root, entries []entry, count *tally) error {
	archive, to := io.Pipe()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer archive.Close()
	wg.Go(func() { to.CloseWithError(writeArchive(to, root, entries, count)) })
	if err := s.put(ctx, `"$t/f"`, archive); err != nil {
		return err
	}
	return s.must(ctx, `mkdir "$t/d" && tar -xpo -f "$t/f" -C "$t/d" && rm -f "$t/f"`)
}

// writeArchive writes what the survey found in GNU's format: busybox does not
// know names in PAX's.
func writeArchive(to io.Writer, root *os.Root, entries []entry, count *tally) error {
	archive := tar.NewWriter(to)
	for _, e := range entries[1:] {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: "./" + e.name, Size: e.size, Mode: int64(e.mode.Perm()), Format: tar.FormatGNU}
		if e.mode.IsDir() {
			header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
			header.Mode |= 0o700 // until everything is in it
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if e.mode.IsDir() {
			continue
		}
		if err := archiveFile(archive, root, e, count); err != nil {
			return err
		}
		count.Files++
	}
	return archive.Close()
}

func archiveFile(to io.Writer, root *os.Root, e entry, count *tally) error {
	f, err := openEntry(root, e)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err = io.CopyN(to, io.TeeReader(f, count), e.size); errors.Is(err, io.EOF) {
		err = fmt.Errorf("%s became shorter meanwhile", sanitise(e.name))
	}
	return err
}

// uploadEach sends the folder file by file.
func (s *Shell) uploadEach(ctx context.Context, root *os.Root, entries []entry, count *tally) error {
	for _, e := range entries {
		if err := s.uploadEntry(ctx, root, e, count); err != nil {
			return err
		}
	}
	return nil
}

func (s *Shell) uploadEntry(ctx context.Context, root *os.Root, e entry, count *tally) error {
	if err := s.must(ctx, "f=$t/d/"+quote(e.name)); err != nil {
		return err
	}
	if e.mode.IsDir() {
		return s.must(ctx, `mkdir -p "$f"; `+s.chmod(e.mode|0o700, "$f"))
	}
	f, err := openEntry(root, e)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := s.put(ctx, `"$f"`, io.TeeReader(f, count)); err != nil {
		return err
	}
	count.Files++
	return s.must(ctx, s.chmod(e.mode, "$f"))
}

// closeFolders takes away the permissions that folders had while they were
// being filled, the deepest first.
func (s *Shell) closeFolders(ctx context.Context, entries []entry) error {
	for i := len(entries) - 1; i > 0; i-- {
		e := entries[i]
		if !e.mode.IsDir() || e.mode&0o700 == 0o700 {
			continue
		}
		if err := s.must(ctx, "f=$t/d/"+quote(e.name)+"; "+s.chmod(e.mode, "$f")); err != nil {
			return err
		}
	}
	return nil
}
