// Package npy reads and writes arrays in NumPy's file format: a header that gives the
// type, the order and the shape, then the values. It reads versions 1 to 3 of one- and
// two-dimensional arrays in C order, little-endian, and writes version 1.
package npy
