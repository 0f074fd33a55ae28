package extract

import "icebox/extract/internal/imaging"

// Redecoded is the number of times that the pixels of some kinds of image have changed while
// those of all others, and so the [Fingerprint], stayed. Features that an older version made
// of such images are not those that an Extractor makes now.
const Redecoded = imaging.Redecoded

// IsRedecoded tells whether an image is of such a kind. Head is its beginning; known is false
// where more of it is needed to say.
func IsRedecoded(head []byte) (is, known bool) { return imaging.IsRedecoded(head) }
