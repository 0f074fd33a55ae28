// Package pictures draws the picture set of "icebox quickstart": ten classes of
// shapes and textures, varied enough that a classifier has something to learn.
//
//	DIR/train/circle/circle_0001.jpg
//	DIR/val/circle/circle_0001.jpg
//	DIR/test/waves/waves_0007.png
//
// A picture is a stack of layers on one [canvas]: background, clutter, shadow,
// figure, clutter, then blur and noise as a camera adds them. Every figure is a
// signed distance field, which gives anti-aliasing, soft shadows and outlines
// from one number a pixel.
//
// A picture depends only on (seed, part, class, index): a larger set holds a
// smaller one. On one processor architecture the bytes are the same on every run;
// across architectures they may differ where the compiler fuses multiply and add.
package pictures
