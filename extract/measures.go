package extract

// Measures are numbers that tell whether a picture is any good. They are taken from the
// crop, without what FitPad fills around it, and from the size in the header. Each is worked
// out in integers, so that every machine gives the same ones.
type Measures struct {
	Width, Height int // as stored, before a photo is turned upright

	// Bright99 and Bright5 are percentiles of the pixels' brightness, 0 to 255: the root of
	// 0.241 R² + 0.691 G² + 0.068 B², of one pixel of 64.
	Bright99, Bright5 uint8
	// Grey says that the three channels of each of these pixels are equal, and of those that
	// Edges is taken from.
	Grey bool
	// Entropy is that of their values, those of each channel by themselves, in 1/4096 bit: as
	// Pillow's of an RGB picture. That of a grey one is log2(3) bits more than it would be of
	// one channel.
	Entropy uint16
	// Edges is the standard deviation, in 1/256 of a level, of what the Laplacian finds in
	// the picture made so small that its longer side has about 64 pixels, of about every other
	// line. Pixels of the rim count as they are, as with Pillow's FIND_EDGES. 65535 is unknown:
	// the crop shows less than 3 of these pixels in a direction.
	Edges uint16
	// Spread is the standard deviation, in 1/256, of the counts in the histogram of that
	// small picture in grey; 65535 is unknown.
	Spread uint16
}
