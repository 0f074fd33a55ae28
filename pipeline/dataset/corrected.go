package dataset

// Corrected is what a dataset was before a person's corrections were laid over it. It is
// never kept in the cache.
type Corrected struct {
	Classes   []string      // as given
	Labels    map[int]int32 // as given, in these classes, of the items that have another now, or none
	Confirmed map[int]bool  // items whose label a person has found right
	Excluded  map[int]bool  // items that are to be left out; they have no label

	File        string // that the corrections are from
	SHA256      string // of it
	Bytes       []byte // of it
	Stale, Gone int    // corrections of images with other bytes, and of images that are not there
}

// AsGiven has work see d as it was before corrections.
func (d *Dataset) AsGiven(work func() error) error {
	c := d.Corrected
	if c == nil {
		return work()
	}
	classes, labels := d.Classes, make([]int32, len(d.Items))
	number := make(map[string]int32, len(c.Classes))
	for n, name := range c.Classes {
		number[name] = int32(n)
	}
	for i := range d.Items {
		it := &d.Items[i]
		labels[i] = it.Label
		if given, ok := c.Labels[i]; ok {
			it.Label = given
		} else if it.Label != Unlabelled {
			it.Label = number[classes[it.Label]]
		}
	}
	d.Classes, d.Corrected = c.Classes, nil
	defer func() {
		d.Classes, d.Corrected = classes, c
		for i := range d.Items {
			d.Items[i].Label = labels[i]
		}
	}()
	return work()
}
