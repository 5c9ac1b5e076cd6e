package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/adrg/xdg"
)

// RunInfo is what a run file says of a running sandbox. It holds its key, so
// printing or logging it shows the URL alone.
type RunInfo struct {
	URL             string    `json:"url"`
	AccessKeyID     string    `json:"accessKeyId"`
	SecretAccessKey string    `json:"secretAccessKey"`
	Region          string    `json:"region"`
	PID             int       `json:"pid"`
	Started         time.Time `json:"started"`
}

func (i RunInfo) String() string { return i.URL }

// GoString keeps the key out of %#v.
func (i RunInfo) GoString() string { return i.URL }

// LogValue keeps the key out of logs.
func (i RunInfo) LogValue() slog.Value { return slog.StringValue(i.URL) }

// Exports are the shell lines that point any AWS client at the sandbox.
// AWS_DEFAULT_REGION is there for the AWS CLI, whose version 1 reads no other.
func (i RunInfo) Exports() []string {
	return []string{
		"export AWS_ENDPOINT_URL=" + shellQuote(i.URL),
		"export AWS_ACCESS_KEY_ID=" + shellQuote(i.AccessKeyID),
		"export AWS_SECRET_ACCESS_KEY=" + shellQuote(i.SecretAccessKey),
		"export AWS_REGION=" + shellQuote(i.Region),
		"export AWS_DEFAULT_REGION=" + shellQuote(i.Region),
	}
}

// shellQuote makes one word of s for a POSIX shell that evaluates the line.
func shellQuote(s string) string {
	special := func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !letter && (r < '0' || r > '9') && !strings.ContainsRune("-_./:+=@", r)
	}
	if s != "" && !strings.ContainsFunc(s, special) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

const runFilePattern = "sandbox-*.json"

// runDirs are the directories that run files are looked for in; new ones go
// into the first. A machine without a session manager has no runtime
// directory, hence the second.
func runDirs() []string {
	var dirs []string
	if info, err := os.Stat(xdg.RuntimeDir); err == nil && info.IsDir() {
		dirs = append(dirs, filepath.Join(xdg.RuntimeDir, "gantry"))
	}
	return append(dirs, filepath.Join(xdg.CacheHome, "gantry", "run"))
}

// runFile is a file that tells this user's other processes of a sandbox. While
// its owner lives, the operating system holds a lock on it (see hold).
type runFile struct {
	path string
	held io.Closer
}

// writeRunFile makes a run file in dir, or in the user's own directory if that
// is empty. It gets its name only once it is complete and held, so that nobody
// takes it for a leftover.
func writeRunFile(dir string, info RunInfo) (*runFile, error) {
	if dir == "" {
		dir = runDirs()[0]
	}
	if err := makePrivateDir(dir); err != nil {
		return nil, err
	}
	info.PID, info.Started = os.Getpid(), time.Now()
	text, err := json.Marshal(info)
	if err != nil {
		return nil, fmt.Errorf("spell the run file: %w", err)
	}
	f, err := os.CreateTemp(dir, ".new-*") // made with mode 0600
	if err != nil {
		return nil, fmt.Errorf("make a run file: %w", err)
	}
	if _, err := f.Write(text); err != nil {
		return nil, errors.Join(fmt.Errorf("write a run file: %w", err), f.Close(), os.Remove(f.Name()))
	}
	held, err := hold(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock a run file: %w", err), f.Close(), os.Remove(f.Name()))
	}
	path := filepath.Join(dir, strings.Replace(runFilePattern, "*", strings.TrimPrefix(filepath.Base(f.Name()), ".new-"), 1))
	if err := os.Rename(f.Name(), path); err != nil {
		return nil, errors.Join(fmt.Errorf("name a run file: %w", err), held.Close(), os.Remove(f.Name()))
	}
	return &runFile{path, held}, nil
}

// remove takes the file away; a nil file is none.
func (f *runFile) remove() error {
	if f == nil {
		return nil
	}
	return errors.Join(removeFile(f.path), f.held.Close())
}

// removeFile does not mind that another process was quicker.
func removeFile(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func makePrivateDir(dir string) error {
	if err := os.MkdirAll(dir, ownerOnly); err != nil {
		return fmt.Errorf("make the directory for run files: %w", err)
	}
	return checkPrivateDir(dir)
}

func checkPrivateDir(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("look at the directory for run files: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is no directory", dir)
	}
	return checkPrivate(dir, info)
}

// Running tells which sandboxes of this user run, the newest first. Files that
// dead ones left are removed. A file or directory that others could have
// written is not believed: it is named in the error, beside the sandboxes that
// were found.
func Running() ([]RunInfo, error) {
	var all []RunInfo
	var failures []error
	for _, dir := range runDirs() {
		found, err := runningIn(dir)
		all = append(all, found...)
		failures = append(failures, err)
	}
	slices.SortFunc(all, func(a, b RunInfo) int { return b.Started.Compare(a.Started) })
	return all, errors.Join(failures...)
}

func runningIn(dir string) ([]RunInfo, error) {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err := checkPrivateDir(dir); err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(dir, runFilePattern))
	if err != nil {
		return nil, fmt.Errorf("look for run files: %w", err)
	}
	var found []RunInfo
	var failures []error
	for _, path := range paths {
		info, alive, err := readRunFile(path)
		switch {
		case err != nil:
			failures = append(failures, err)
		case alive:
			found = append(found, info)
		default:
			failures = append(failures, removeFile(path))
		}
	}
	return found, errors.Join(failures...)
}

// readRunFile reads a file and tells whether its owner lives.
func readRunFile(path string) (info RunInfo, alive bool, err error) {
	f, err := openNoFollow(path)
	if errors.Is(err, fs.ErrNotExist) {
		return RunInfo{}, false, nil
	}
	if err != nil {
		return RunInfo{}, false, fmt.Errorf("open a run file: %w", err)
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return RunInfo{}, false, fmt.Errorf("look at a run file: %w", err)
	}
	if !stat.Mode().IsRegular() {
		return RunInfo{}, false, fmt.Errorf("%s is no regular file", path)
	}
	if err := checkPrivate(path, stat); err != nil {
		return RunInfo{}, false, err
	}
	const limit = 64 << 10
	text, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return RunInfo{}, false, fmt.Errorf("read a run file: %w", err)
	}
	if err := json.Unmarshal(text, &info); err != nil {
		return RunInfo{}, false, fmt.Errorf("read %s: %w", path, err)
	}
	if u, err := url.Parse(info.URL); err != nil || u.Scheme != "http" || !isLoopback(u.Hostname()) {
		return RunInfo{}, false, fmt.Errorf("%s names an endpoint that is not on this machine", path)
	}
	return info, lives(f, info), nil
}
