// Package rows writes features, with what is known of their images, in the forms that other
// programs read. It knows nothing of where they come from.
//
//	npy          features.npy, labels.npy, index.csv
//	npz          features.npz: features, labels, classes, paths, splits, sha256
//	parquet      features.parquet: a row an image, its feature a list of floats
//	safetensors  features.safetensors: features, labels; index.csv
//	csv          features.csv: a row an image, a column a number
//	projector    what TensorBoard's projector opens: tensors.tsv, metadata.tsv,
//	             projector_config.pbtxt and, where there are pictures, sprite.png
//
// Features are float32, and labels int64, -1 for none. The build tag noparquet leaves
// Parquet out.
package rows
