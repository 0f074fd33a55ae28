package dataset

import (
	"context"
	"fmt"
)

// MeetArchives takes the archives as they lie on this machine for those in which d's items
// were listed, maybe on another one: their stats are others, but they must have the same size.
// The error is an [ErrData],
// or that of ctx.
func (d *Dataset) MeetArchives(ctx context.Context) error {
	met := map[int]Stat{}
	for i := range d.Items {
		it := &d.Items[i]
		if k := d.Roots[it.Root].Kind; k == "" || k == Bucket {
			continue
		}
		here, ok := met[it.Root]
		if !ok {
			var err error
			if here, err = d.Roots[it.Root].meet(ctx); err != nil {
				return err
			}
			met[it.Root] = here
		}
		it.Stat.MTime, it.Stat.CTime, it.Stat.Inode = here.MTime, here.CTime, here.Inode
	}
	return nil
}

// meet returns the stat of an archive, if it has the size that it had when it was listed.
func (r *Root) meet(ctx context.Context) (Stat, error) {
	here, err := statArchive(ctx, r.Dir)
	if err != nil {
		return Stat{}, err
	}
	if r.Index != nil && r.Index.Stat.Size != here.Size {
		return Stat{}, fmt.Errorf("%w: %s has %d bytes, and had %d when its images were listed: list them again", ErrData, r.Dir, here.Size, r.Index.Stat.Size)
	}
	return here, nil
}
