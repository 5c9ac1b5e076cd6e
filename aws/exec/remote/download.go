package remote

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"gantry/internal/diagnose"
)

// Download copies a file or folder out of the container: to dst, or into it
// under its own name if dst is a folder here. Modes are kept, apart from
// set-user-ID and the like. A file replaces a file and nothing else, a folder
// replaces nothing. What arrives is compared by checksum, and appears under its
// name only when it is complete. Whatever the container sends, nothing outside
// of the target is written: links and devices are skipped and counted, a path
// that climbs out ends the copy. The error is ctx's or a *diagnose.Error; then
// nothing is left here.
func (s *Shell) Download(ctx context.Context, src, dst string, report Report) (Copied, error) {
	what := fmt.Sprintf("copy %s out of the container", sanitise(src))
	source, err := remotePath(src)
	if err != nil {
		return Copied{}, err
	}
	found, err := s.look(ctx, source)
	if err != nil {
		return Copied{}, failed(what, err)
	}
	to, err := openTarget(source, dst)
	if err != nil {
		return Copied{}, failed(what, err)
	}
	defer to.root.Close()
	count := &tally{report: report, total: found.size}
	if found.mode.IsDir() {
		err = s.downloadFolder(ctx, found, to, count)
	} else {
		err = s.downloadFile(ctx, found, to, count)
	}
	if err != nil {
		return Copied{}, failed(what, errors.Join(err, to.root.RemoveAll(to.temp)))
	}
	return count.Copied, nil
}

// The exit statuses of look.
const (
	notThere = 3
	noFile   = 4
	noRight  = 5
)

// look finds out what a path is, and sets p to it.
func (s *Shell) look(ctx context.Context, source string) (entry, error) {
	script := fmt.Sprintf(`p=%s
m=$(stat -c %%a "$p") || { m=644; [ -x "$p" ] && m=755; }
if [ -d "$p" ]; then printf "d %%s 0" "$m"
elif [ ! -e "$p" ]; then (exit %d)
elif [ ! -f "$p" ]; then (exit %d)
elif [ ! -r "$p" ]; then (exit %d)
else printf "f %%s %%s" "$m" "$(wc -c <"$p")"
fi`, quote(source), notThere, noFile, noRight)
	var said strings.Builder
	status, err := s.ask(ctx, script, &said)
	if err != nil {
		return entry{}, err
	}
	if status == 0 {
		return readEntry(strings.Fields(said.String()))
	}
	cause := map[int]string{
		notThere: "there is no such file or folder", noFile: "it is neither a file nor a folder", noRight: "it cannot be read",
	}[status]
	return entry{}, &diagnose.Error{What: "copy " + sanitise(source) + " out of the container", Cause: cause, Do: "check the path: relative ones start where the shell does"}
}

// readEntry takes kind, mode and size from look. The size may be missing.
func readEntry(fields []string) (entry, error) {
	if len(fields) < 2 {
		return entry{}, errors.New("the container does not tell what that path is")
	}
	mode, err := strconv.ParseUint(fields[1], 8, 32)
	if err != nil {
		return entry{}, fmt.Errorf("read the mode: %w", err)
	}
	e := entry{name: ".", mode: fs.FileMode(mode) & fs.ModePerm}
	if fields[0] == "d" {
		e.mode |= fs.ModeDir
	}
	if len(fields) > 2 {
		e.size, _ = strconv.ParseInt(fields[2], 10, 64) // 0 is unknown
	}
	return e, nil
}

// target is where a copy goes on this side.
type target struct {
	root *os.Root // of the folder that it goes into
	name string   // in it
	temp string   // in it too, until it is complete
}

func openTarget(source, dst string) (target, error) {
	dir, name := filepath.Dir(dst), filepath.Base(dst)
	if info, err := os.Stat(dst); err == nil && info.IsDir() {
		dir, name = dst, path.Base(source)
	} else if os.IsPathSeparator(dst[len(dst)-1]) {
		return target{}, &diagnose.Error{What: "copy out of the container", Cause: dst + " is no folder here", Do: "make it first"}
	}
	if name == "." || name == ".." || name == "/" || !filepath.IsLocal(name) {
		return target{}, &diagnose.Error{What: "copy out of the container", Cause: "there is no name for the copy", Do: "name the file or folder that it is to become"}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return target{}, &diagnose.Error{What: "copy out of the container", Cause: dir + ": " + plain(err), Do: "name a folder that exists and can be written", Err: err}
	}
	return target{root, name, temporary()}, nil
}

// refused is the error for a name that is taken.
func (t target) refused(cause string) error {
	return &diagnose.Error{
		What: "copy out of the container", Cause: filepath.Join(t.root.Name(), t.name) + cause,
		Do: "choose another target, or move that away", Err: fs.ErrExist,
	}
}

func (s *Shell) downloadFile(ctx context.Context, found entry, to target, count *tally) error {
	if info, err := to.root.Stat(to.name); err == nil && info.IsDir() {
		return to.refused(" is a folder, and a file cannot replace it")
	}
	if err := s.saveFile(ctx, `"$p"`, to.root, to.temp, found.mode, count); err != nil {
		return err
	}
	return to.root.Rename(to.temp, to.name)
}

// saveFile fetches one file. The source is a word of the shell's.
func (s *Shell) saveFile(ctx context.Context, source string, root *os.Root, name string, mode fs.FileMode, count *tally) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = s.fetch(ctx, s.reader()+" <"+source, io.MultiWriter(f, count))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	count.Files++
	return root.Chmod(name, mode.Perm())
}

func (s *Shell) downloadFolder(ctx context.Context, found entry, to target, count *tally) error {
	if _, err := to.root.Lstat(to.name); err == nil {
		return to.refused(" is there already, and a folder replaces nothing")
	}
	if err := to.root.Mkdir(to.temp, 0o700); err != nil {
		return err
	}
	root, err := to.root.OpenRoot(to.temp)
	if err != nil {
		return err
	}
	defer root.Close()
	into := &extraction{root: root, count: count}
	if s.tools["tar"] {
		err = s.downloadArchive(ctx, into)
	} else {
		err = s.downloadEach(ctx, into)
	}
	if err == nil {
		err = into.finish()
	}
	if err != nil {
		return err
	}
	if err := to.root.Rename(to.temp, to.name); err != nil {
		return err
	}
	return to.root.Chmod(to.name, found.mode.Perm())
}

// downloadArchive fetches the folder as a tar archive.
func (s *Shell) downloadArchive(ctx context.Context, into *extraction) error {
	from, archive := io.Pipe()
	var unpacked error
	var wg sync.WaitGroup
	wg.Go(func() {
		unpacked = into.unpack(from)
		from.CloseWithError(unpacked)
	})
	err := s.fetch(ctx, `(cd "$p" && tar -cf - .)`, archive)
	archive.CloseWithError(err)
	wg.Wait()
	if unpacked != nil && !errors.Is(unpacked, err) {
		return unpacked
	}
	return err
}

// walk lists a folder: kind, mode and name of everything in it, each ended by a
// NUL, folders before what is in them.
const walk = `walk() ( cd "$1" || exit 1
for f in * .[!.]* ..?*; do
if [ -L "./$f" ]; then k=l
elif [ -d "./$f" ]; then k=d
elif [ -f "./$f" ]; then k=f
elif [ -e "./$f" ]; then k=o
else continue
fi
m=$(stat -c %a "./$f") || { m=644; [ -x "./$f" ] && m=755; }
printf "%s %s %s\0" $k $m "$2$f"
[ $k = d ] && walk "./$f" "$2$f/"
done
: )`

// downloadEach fetches the folder file by file.
func (s *Shell) downloadEach(ctx context.Context, into *extraction) error {
	if err := s.must(ctx, "q=$p\n"+walk); err != nil {
		return err
	}
	var list bytes.Buffer
	if err := s.fetch(ctx, `walk "$q" ""`, &list); err != nil {
		return err
	}
	for line := range bytes.SplitSeq(bytes.TrimSuffix(list.Bytes(), []byte{0}), []byte{0}) {
		fields := strings.SplitN(string(line), " ", 3)
		if len(fields) < 3 {
			break // an empty folder
		}
		if err := s.downloadEntry(ctx, fields[0], fields[1], fields[2], into); err != nil {
			return err
		}
	}
	return nil
}

func (s *Shell) downloadEntry(ctx context.Context, kind, mode, name string, into *extraction) error {
	e, err := readEntry([]string{kind, mode})
	if err != nil {
		return err
	}
	header := &tar.Header{Typeflag: tar.TypeSymlink, Name: name, Mode: int64(e.mode.Perm())}
	switch kind {
	case "d":
		header.Typeflag = tar.TypeDir
	case "o":
		header.Typeflag = tar.TypeChar
	case "f":
		at, err := into.make(name)
		if err != nil {
			return err
		}
		if err := s.must(ctx, "p=$q/"+quote(name)); err != nil {
			return err
		}
		return s.saveFile(ctx, `"$p"`, into.root, at, e.mode, into.count)
	}
	return into.entry(header, nil)
}
