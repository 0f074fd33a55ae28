package imaging

import "image"

// How a picture becomes a square of Size pixels; Options.Fit is one of them.
const (
	// FitCrop resizes the shorter side to 256 and cuts out the middle, as torchvision's
	// Resize(256) and CenterCrop(224) do. It loses what lies at the ends of a long picture.
	FitCrop = "crop"
	// FitSquash resizes both sides, as Resize((224, 224)) does. It loses the ratio of the
	// sides.
	FitSquash = "squash"
	// FitPad resizes the longer side to 224, as Resize(None, max_size=224) does, and fills
	// the rest around the middle, as functional.pad does. It loses pixels to the filling.
	FitPad = "pad"
)

// resized returns the size that a fit gives an upright picture before the cut: the shorter
// side for FitCrop, the longer one for FitPad, exactly, and the other one rounded down.
func resized(fit string, w, h int) image.Point {
	switch {
	case fit == FitSquash:
		return image.Pt(Size, Size)
	case fit == FitPad && w <= h:
		return image.Pt(max(int(float64(Size*w)/float64(h)), 1), Size)
	case fit == FitPad:
		return image.Pt(Size, max(int(float64(Size*h)/float64(w)), 1))
	case w <= h:
		return image.Pt(resizedSide, int(float64(resizedSide*h)/float64(w)))
	}
	return image.Pt(int(float64(resizedSide*w)/float64(h)), resizedSide)
}

// covered is the part of the crop that a resized picture covers: all but for FitPad.
func covered(size image.Point) image.Rectangle {
	at := image.Pt(max(-centred(size.X), 0), max(-centred(size.Y), 0))
	return image.Rectangle{at, at.Add(size)}.Intersect(image.Rect(0, 0, Size, Size))
}

// surround fills what lies outside of a part of the crop with one colour.
func surround(dst *Pixels, part image.Rectangle, fill [3]byte) {
	for y := range Size {
		line := dst[lineBytes*y:][:lineBytes]
		left, right := part.Min.X, part.Max.X
		if y < part.Min.Y || y >= part.Max.Y {
			left, right = Size, Size
		}
		for x := range left {
			*(*[3]byte)(line[3*x:]) = fill
		}
		for x := right; x < Size; x++ {
			*(*[3]byte)(line[3*x:]) = fill
		}
	}
}

// elongated tells whether one side of a picture is more than twice the other.
func elongated(w, h int) bool { return w > 2*h || h > 2*w }
