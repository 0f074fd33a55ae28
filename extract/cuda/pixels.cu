// The two kernels that icebox brings itself: 8-bit pixels to what the stem reads.
//
// The stem's 7×7 filters with stride 2 are 4×4 filters with stride 1 over blocks of
// 2×2 pixels × RGB. A kernel writes those blocks, channels innermost, within the
// border that the filters reach into: 3 pixels to the left and above, in zeros,
// which is what padding means once pixels are normalised. A value comes from a
// table, so that it is bit for bit the CPU engine's.
//
// pixels.ptx is this file, compiled; see pixels_test.go for how. The tests also
// compile it as C and run it, with KERNEL and the indices defined before.
#ifndef KERNEL
#define KERNEL extern "C" __global__ void
#endif

#define SIDE 224   // of the image
#define BLOCKS 115 // of blocks in a row and in a column: 3 + 224 + 3 pixels

// BODY is a thread's work: one channel of one block; grid (columns × CHANNELS, rows, images).
#define BODY(VALUE, CHANNELS)                                                                    \
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;                                          \
    if (i >= BLOCKS * CHANNELS) return;                                                          \
    unsigned column = i / CHANNELS, channel = i % CHANNELS, row = blockIdx.y, image = blockIdx.z; \
    unsigned rgb = channel % 3;                                                                  \
    unsigned y = 2 * row + channel / 6 - 3, x = 2 * column + channel / 3 % 2 - 3;                \
    VALUE value = 0;                                                                             \
    if (channel < 12 && y < SIDE && x < SIDE)                                                    \
        value = table[rgb * 256 + pixels[((image * SIDE + y) * SIDE + x) * 3 + rgb]];            \
    blocks[(image * BLOCKS + row) * (BLOCKS * CHANNELS) + i] = value;

KERNEL blocks32(const unsigned char *pixels, unsigned *blocks, const unsigned *table) { BODY(unsigned, 12) }

KERNEL blocks16(const unsigned char *pixels, unsigned short *blocks, const unsigned short *table) { BODY(unsigned short, 16) }
