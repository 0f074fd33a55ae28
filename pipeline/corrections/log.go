package corrections

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"icebox/pipeline/internal/lock"
)

// Log is a file that changes are appended to, by this process alone. It is for one
// goroutine at a time.
type Log struct {
	*File
	f    *os.File // nil while there is none
	lock *lock.Lock
}

// Open opens the file at path for appending. It need not be there: the first change makes
// it. It returns an [ErrHeld] where another process has it open.
func Open(path string) (*Log, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	l := &Log{}
	if l.File, err = parse(path, nil); err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			return nil, fmt.Errorf("%w: there is no folder for %s: %w", ErrMissing, path, err)
		}
		return l, nil
	}
	return l, l.take(path)
}

// take opens, locks and reads the file, which is there.
func (l *Log) take(path string) error {
	held, err := lock.File(path)
	if errors.Is(err, lock.ErrHeld) {
		return fmt.Errorf("%w in %s", ErrHeld, path)
	}
	if err == nil {
		l.lock = held
		l.f, err = os.OpenFile(path, os.O_RDWR, 0)
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		err = fmt.Errorf("%w: %w", ErrNotWritten, err)
	}
	if err == nil {
		l.File, err = Read(path)
	}
	if err != nil {
		l.Close()
	}
	return err
}

// Append writes changes: all of them, or none. The error is an [ErrChanged] where the file
// is not as this process left it, and an [ErrNotWritten] where it cannot be written; the
// changes that it held are there either way.
func (l *Log) Append(changes ...Change) error {
	for i := range changes {
		if err := changes[i].Check(); err != nil {
			return fmt.Errorf("%w: %w", ErrFormat, err)
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := l.unchanged(); err != nil {
		return err
	}
	var lines strings.Builder
	switch {
	case l.end == 0:
		lines.WriteString(l.form.join(header...))
	case l.open:
		lines.WriteString(map[bool]string{false: "\n", true: "\r\n"}[l.form.crlf])
	}
	for i := range changes {
		lines.WriteString(l.form.line(&changes[i]))
	}
	if l.end+int64(lines.Len()) > MaxFile {
		return fmt.Errorf("%w: %s would have more than %d bytes", ErrNotWritten, l.Path, MaxFile)
	}
	if err := l.write(lines.String()); err != nil {
		return fmt.Errorf("%w to %s, which is as it was: %w", ErrNotWritten, l.Path, err)
	}
	l.end += int64(lines.Len())
	l.Torn, l.open = 0, false
	l.Changes = append(l.Changes, changes...)
	return nil
}

// write writes lines at the end of what is whole, in one write.
func (l *Log) write(lines string) error {
	if l.f == nil {
		if err := l.create(); err != nil {
			return err
		}
	}
	err := l.f.Truncate(l.end) // the half line of somebody who was killed
	if err == nil {
		_, err = l.f.WriteAt([]byte(lines), l.end)
	}
	if err == nil {
		err = l.f.Sync()
	}
	if err != nil {
		_ = l.f.Truncate(l.end) // else the next reader leaves it out
	}
	return err
}

// create makes the file, which is locked.
func (l *Log) create() error {
	f, err := os.OpenFile(l.Path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	if l.lock, err = lock.File(l.Path); err != nil {
		return errors.Join(err, f.Close())
	}
	l.f = f
	if dir, err := os.Open(filepath.Dir(l.Path)); err == nil {
		_ = dir.Sync() // where folders can be synced
		dir.Close()
	}
	return nil
}

// unchanged returns an [ErrChanged] unless the file is as this process left it.
func (l *Log) unchanged() error {
	now, err := os.Stat(l.Path)
	if l.f == nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("%w: %s is there now", ErrChanged, l.Path)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrChanged, err)
	}
	opened, err := l.f.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(now, opened) || now.Size() != l.end && (l.Torn == 0 || now.Size() < l.end) {
		return fmt.Errorf("%w in %s", ErrChanged, l.Path)
	}
	return nil
}

// Close lets go of the file.
func (l *Log) Close() error {
	var err error
	if l.f != nil {
		err = l.f.Close()
	}
	l.lock.Release()
	l.f, l.lock = nil, nil
	return err
}
