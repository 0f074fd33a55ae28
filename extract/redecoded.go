package extract

import "icebox/extract/internal/imaging"

// Redecoded is the number of times that what an Extractor makes of some kinds of image has
// changed while the pixels of all others, and so the [Fingerprint], stayed: images that were
// refused before may be read.
const Redecoded = imaging.Redecoded

// Redrawn is the last of these times with which pixels changed. Features that an older version
// made of images that [IsRedecoded] tells are not those that an Extractor makes now.
const Redrawn = imaging.Redrawn

// IsRedecoded tells whether an image is of such a kind. Head is its beginning; known is false
// where more of it is needed to say.
func IsRedecoded(head []byte) (is, known bool) { return imaging.IsRedecoded(head) }
