// Command icebox turns a folder of labelled images into a classifier: it runs each
// image through a frozen ResNet-18 once, keeps the features, and trains linear
// heads on them in seconds.
package main

import "os"

func main() {
	boundMemory(os.Getenv, availableMemory())
	os.Exit(thisProcess().main(os.Args[1:]))
}
