// Package inflate unpacks a zlib stream (RFC 1950, RFC 1951) from memory to memory of a known
// size, as the pixels of a PNG are packed:
//
//	bytes ──header──▶ blocks ──Huffman──▶ literals and copies ──▶ dst ──▶ checksum
//
// It takes the streams that compress/zlib takes, and gives the same bytes several times
// faster, because it need not be able to stop anywhere and to go on later.
package inflate
