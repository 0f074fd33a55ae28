// Package export takes a run's classifier to other programs: the backbone and the head, in
// the forms that these read.
//
//	onnx     one file: pixels in, logits, calibrated probabilities and the top class out
//	hf       a folder for Hugging Face's transformers, with an ONNX file in it
//	torch    a state dict of torchvision's resnet18 with the head as its fc
//	sklearn  the arrays of a LogisticRegression on icebox's features, as npz
//
// Each is checked while it is made: it is read again and compared, value by value or by
// running it on fixed pictures, with what icebox answers. Where the two disagree, nothing
// is left under the final name, and the error says by how much.
package export
