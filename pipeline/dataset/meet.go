package dataset

import (
	"fmt"
	"os"
)

// MeetArchives takes the archives as they lie on this machine for those in which d's items
// were listed, maybe on another one: their stats are others, but they must have the same size.
// The error is an [ErrData].
func (d *Dataset) MeetArchives() error {
	met := map[int]Stat{}
	for i := range d.Items {
		it := &d.Items[i]
		if !d.Archived(it) {
			continue
		}
		here, ok := met[it.Root]
		if !ok {
			var err error
			if here, err = d.Roots[it.Root].meet(); err != nil {
				return err
			}
			met[it.Root] = here
		}
		it.Stat.MTime, it.Stat.CTime, it.Stat.Inode = here.MTime, here.CTime, here.Inode
	}
	return nil
}

// meet returns the stat of an archive, if it has the size that it had when it was listed.
func (r *Root) meet() (Stat, error) {
	fi, err := os.Stat(r.Dir)
	if err != nil {
		return Stat{}, fmt.Errorf("%w: %w", ErrData, err)
	}
	if r.Index != nil && r.Index.Stat.Size != fi.Size() {
		return Stat{}, fmt.Errorf("%w: %s has %d bytes, and had %d when its images were listed: list them again", ErrData, r.Dir, fi.Size(), r.Index.Stat.Size)
	}
	return StatOf(fi), nil
}
