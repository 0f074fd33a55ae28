package cache

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Who writes is known without a lock, as long as the process is there.
func TestWhoWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	if o, ok := WrittenBy(path); ok {
		t.Errorf("there is no cache, and %v writes to it", o)
	}
	c, err := OpenOrCreate(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if o, ok := WrittenBy(path); ok {
		t.Errorf("%v writes", o)
	}
	w, err := c.Writer()
	if err != nil {
		t.Fatal(err)
	}
	if o, ok := WrittenBy(path); !ok || o.PID != os.Getpid() || time.Since(o.Since) > time.Minute {
		t.Errorf("%v writes: %v", o, ok)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if o, ok := WrittenBy(path); ok {
		t.Errorf("%v writes still", o)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for want, o := range map[bool]Owner{false: {PID: 1 << 30, Host: host}, true: {PID: 1 << 30, Host: "not-" + host}} {
		b, err := json.Marshal(o)
		if err := errors.Join(err, os.WriteFile(lockPath(path), b, 0o600)); err != nil {
			t.Fatal(err)
		}
		if got, ok := WrittenBy(path); ok != want {
			t.Errorf("%v writes: %v", got, ok)
		}
	}
}
