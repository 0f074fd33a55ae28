package dataset

import (
	"fmt"

	"icebox/cache"
)

// blockVersion is that of the items in a block, in the form of a dataset's document of this
// version.
const blockVersion = archiveVersion

// EncodeBlock returns the items from from up to to, as [Dataset.DecodeBlock] takes them, for
// a file that holds a dataset in blocks: roots and classes stand in it once. Names that are
// too long for that are an [ErrData].
func (d *Dataset) EncodeBlock(from, to int) ([]byte, error) {
	if from == 0 {
		if err := d.checkTexts(); err != nil {
			return nil, err
		}
	}
	return appendItems(nil, d.Items[from:to], blockVersion)
}

// DecodeBlock adds the n items of a block to d, which has its roots and classes. An
// [ErrDocument] is returned for a block that is not one of n items of d.
func (d *Dataset) DecodeBlock(block []byte, n int) error {
	if n < 0 || n > len(block)/len(cache.Key{}) {
		return fmt.Errorf("%w: a block of %d bytes cannot hold %d items", ErrDocument, len(block), n)
	}
	items := make([]Item, n)
	if err := d.readItems(items, block, blockVersion); err != nil {
		return err
	}
	d.Items = append(d.Items, items...)
	return nil
}
