// Package onnx writes and reads ONNX models, and runs the few operators that icebox's
// exports are made of. It knows nothing of icebox.
//
//	err := model.Write(w)                                  // streams the weights
//	same, err := onnx.Read(data)                           // reads what Write wrote
//	outputs, err := same.Run(map[string]*onnx.Tensor{...}) // in plain Go
//
// The messages are those of ONNX's specification, by the numbers of their fields; a file
// has IR version 8, which opsets 17 and 18 need. [Model.Run] is a reference to check a
// file by: it follows the text of the specification, shares no code with a faster engine,
// and takes a second for an image.
package onnx
