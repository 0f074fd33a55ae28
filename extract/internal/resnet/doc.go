// Package resnet is the forward pass of a frozen ResNet-18 on a CPU, from 8-bit
// pixels to the 512 values after global average pooling.
//
// [New] folds each batch norm into the convolution before it (in float64), takes
// the weights to the planes of a Winograd scheme and packs them in the order in
// which they are read. A [Net] does not change after that. A [Workspace] is the scratch
// memory of one worker: with it, [Net.Forward] allocates nothing.
//
// # Plans
//
// Winograd is for batches:
//
//	stem         7×7 /2  as 4×4 over 12 channels (2×2 pixels × RGB)   F(4,4), then pooled row by row
//	layer1,2,3   3×3                                                 F(7,3)
//	layer4       3×3                                                 F(4,3)
//	layerN.0     3×3 /2  by polyphase                                F(4,2)
//	downsample   1×1 /2  a product of matrices, its bias added to conv2's
//
// Activations are NHWC, two buffers a stage: conv1 writes one, conv2 adds to the
// other in place. The stem and layers 1 and 2 take one image at a time, to stay
// in cache; layers 3 and 4 take up to 16 at once, to read their weights less often.
//
// Compact is for single images, where each weight is read for few tiles. It differs in
// F(4,3) in layers 2 and 3, in F(2,3) in layer 4, whose convolution with stride 2 is
// the plain one, and in half-precision weights in the 3×3 convolutions of layers 3 and
// 4. A [Single] gives one image several processors; it works for either plan.
//
// Both plans can multiply bfloat16 (Options.Precision), whose weights take 103 and 53 MB:
// F(4,3) in layers 1 to 3, F(4,3) or F(2,3) in layer 4, at points for 8 bits, and plain
// downsampling. The stem stays in floats: images with large even areas lose most in it.
//
// The larger the tile, the fewer the multiplications and the larger the rounding
// error: 1 - cosine to PyTorch is some 2e-12 by Winograd and 2e-8 by Compact, and some 6e-5
// in bfloat16.
//
// A row of features does not depend on which images came with it.
package resnet
