package features

// Recall returns what [Cached.Keep] kept under a name beside the rows of the space; nil if
// there is nothing that can be read.
func (c *Cached) Recall(name string) []byte {
	doc, err := c.store.Doc(c.memo(name))
	if err != nil {
		return nil
	}
	return doc
}

// Keep keeps doc, which can be worked out anew from the rows, under a name. It waits for
// no other writer.
func (c *Cached) Keep(name string, doc []byte) error {
	return c.store.putDoc(c.memo(name), doc)
}

func (c *Cached) memo(name string) string { return name + "/" + c.space.ID }
