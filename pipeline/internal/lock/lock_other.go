//go:build !unix || solaris || illumos || aix

package lock

// Lock is nothing where a folder cannot be renamed while a file in it is open, or where
// there is no lock that goes with its process: what a killed run leaves there stays.
type Lock struct{}

// Take locks nothing.
func Take(string) (*Lock, error) { return nil, nil }

// New makes a folder by make.
func New(make func() (dir string, err error)) (string, *Lock, error) {
	dir, err := make()
	return dir, nil, err
}

// File locks nothing.
func File(string) (*Lock, error) { return nil, nil }

// TakeFile locks nothing.
func TakeFile(string) *Lock { return nil }

// TakeLeft finds nothing that was left.
func TakeLeft(string) *Lock { return nil }

// Release does nothing.
func (*Lock) Release() {}
