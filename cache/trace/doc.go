// Package trace runs a process and sees its system calls on the files of a folder. One of
// them can be made to fail, the process can be killed at one, and the disk can be full from
// one on. It is for tests of what a crash leaves, and needs no help of the program under
// test: what is seen is what is called. It is there on Linux on amd64.
package trace
