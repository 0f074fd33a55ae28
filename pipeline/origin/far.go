package origin

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"

	"icebox/pipeline/bucket"
	"icebox/pipeline/dataset"
)

// far is what a reader keeps of buckets. Many goroutines may use it.
type far struct {
	mu      sync.Mutex
	buckets map[string]*bucket.Bucket // by address
	objects map[string]*once[*bucket.File]
	copies  []*copied // the last one is the youngest
}

// once is a thing that the first who wants it makes.
type once[T any] struct {
	sync.Mutex
	made  bool
	thing T
}

// get returns the thing. Where it cannot be made, the next one tries again.
func (o *once[T]) get(make func() (T, error)) (T, error) {
	o.Lock()
	defer o.Unlock()
	if o.made {
		return o.thing, nil
	}
	thing, err := make()
	if err == nil {
		o.thing, o.made = thing, true
	}
	return thing, err
}

// bucket opens a bucket once.
func (f *far) bucket(address string) (*bucket.Bucket, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if b := f.buckets[address]; b != nil {
		return b, nil
	}
	b, err := bucket.Open(address, os.Getenv)
	if err != nil {
		return nil, err
	}
	if f.buckets == nil {
		f.buckets = map[string]*bucket.Bucket{}
	}
	f.buckets[address] = b
	return b, nil
}

// object finds an object once, to be read with ctx.
func (f *far) object(ctx context.Context, address string) (*bucket.File, error) {
	f.mu.Lock()
	o := f.objects[address]
	if o == nil {
		if f.objects == nil {
			f.objects = map[string]*once[*bucket.File]{}
		}
		o = &once[*bucket.File]{}
		f.objects[address] = o
	}
	f.mu.Unlock()
	found, err := o.get(func() (*bucket.File, error) {
		of, name, err := bucket.Locate(address)
		if err != nil {
			return nil, err
		}
		return of.Open(ctx, name)
	})
	if err != nil {
		return nil, err
	}
	return found.With(ctx), nil
}

// mostCopies is how many copies of parquet files a reader keeps on this machine. Images are
// read in their order, so that those of a few files are wanted at a time.
const mostCopies = 4

// copied is a parquet file of a bucket.
type copied struct {
	address string
	users   int // of the far that it is in
	here    once[copyHere]
}

// copyHere is its copy in a temporary file.
type copyHere struct {
	*bucket.Scratch
	stat dataset.Stat // of the object
}

// copied copies an object, unless there is a copy. The caller calls release when it has read.
func (f *far) copied(ctx context.Context, address string) (here copyHere, release func(), err error) {
	f.mu.Lock()
	i := slices.IndexFunc(f.copies, func(c *copied) bool { return c.address == address })
	if i < 0 {
		i = len(f.copies)
		f.copies = append(f.copies, &copied{address: address})
	}
	c := f.copies[i]
	c.users++
	f.mu.Unlock()
	here, err = c.here.get(func() (copyHere, error) {
		of, name, err := bucket.Locate(address)
		if err != nil {
			return copyHere{}, err
		}
		s, object, err := of.Copy(ctx, name, true)
		return copyHere{s, dataset.StatOfObject(object)}, err
	})
	if err != nil {
		f.release(c)
	}
	return here, func() { f.release(c) }, err
}

// release lets go of a copy. Those that nobody uses go, the oldest first, when there are many.
func (f *far) release(c *copied) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.users--
	for i := 0; i < len(f.copies) && len(f.copies) > mostCopies; {
		if f.copies[i].users > 0 {
			i++
			continue
		}
		if f.copies[i].here.made {
			_ = f.copies[i].here.thing.Close() // it is a temporary file
		}
		f.copies = slices.Delete(f.copies, i, i+1)
	}
}

// close removes the copies.
func (f *far) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, c := range f.copies {
		if c.here.made {
			errs = append(errs, c.here.thing.Close())
		}
	}
	f.copies = nil
	return errors.Join(errs...)
}
