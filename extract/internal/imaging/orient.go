package imaging

// orientation is the EXIF value: how the stored picture must be turned to
// stand upright. Other values than 2 to 8 mean upright.
//
//	1        2        3        4        5         6         7         8
//	888888   888888       88   88       8888888888 88                 88  8888888888
//	88           88       88   88       88  88     88  88         88  88      88  88
//	8888       8888     8888   8888     88         8888888888 8888888888          88
//	88           88       88   88
//	88           88   888888   888888
type orientation int

const upright orientation = 1

// transposed tells whether stored rows are columns of the upright picture.
func (o orientation) transposed() bool { return o >= 5 && o <= 8 }

// mirrored tells along which axes the stored picture runs backwards.
func (o orientation) mirrored() (x, y bool) {
	switch o {
	case 2:
		return true, false
	case 3, 7:
		return true, true
	case 4, 6:
		return false, true
	case 8:
		return true, false
	}
	return false, false
}
