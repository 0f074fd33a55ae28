package dataset

import "context"

// Changes count what is no longer as it was.
type Changes struct {
	Added, Changed, Gone int
}

// Any reports whether there are any.
func (c Changes) Any() bool { return c != Changes{} }

// Rescan scans d's sources again and counts how they differ from d. It opens no image.
func (d *Dataset) Rescan(ctx context.Context) (Changes, error) {
	now, err := Scan(ctx, Options{Train: d.Sources.Train, Val: d.Sources.Val, Test: d.Sources.Test, Reading: d.Reading})
	if err != nil {
		return Changes{}, err
	}
	was := map[string]*Item{}
	for i := range d.Items {
		was[d.Display(&d.Items[i])] = &d.Items[i]
	}
	var c Changes
	for i := range now.Items {
		it := &now.Items[i]
		before, ok := was[now.Display(it)]
		switch {
		case !ok:
			c.Added++
		case before.Stat != it.Stat && before.Stat != Stat{} || d.Class(before) != now.Class(it):
			c.Changed++
		}
	}
	c.Gone = len(was) - (len(now.Items) - c.Added)
	return c, nil
}
