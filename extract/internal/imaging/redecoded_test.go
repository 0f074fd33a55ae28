package imaging

import "testing"

// What earlier versions have read with the same pixels must be told from what they have not.
func TestKindsThatAreReadOtherwiseNowAreTold(t *testing.T) {
	for name, want := range map[string]bool{
		"progressive.jpg": true, "grey-progressive.jpg": true, "p-dc-0.jpg": true, "cmyk-real.jpg": true, "ycck.jpg": true, "odd-factors.jpg": true,
		"q75.jpg": false, "s420-scans.jpg": false, "s-extended.jpg": false, "grey.jpg": false, "exif6.jpg": false, "fractional-factors.jpg": true,
		"rgb8.png": false, "plain.gif": false, "lossy-alpha.webp": false, "rgb.bmp": false, "rgb-raw.tif": false,
	} {
		data := fixture(t, name)
		is, known := IsRedecoded(data)
		if is != want || !known {
			t.Errorf("%s: %v, known: %v", name, is, known)
		}
		// A beginning says the same or nothing, and nothing that is wrong.
		for n := range data {
			if is, known := IsRedecoded(data[:n]); known && n > 20 && is != want || !known && is {
				t.Fatalf("%s: the first %d bytes are said to be %v", name, n, is)
			}
		}
	}
}
