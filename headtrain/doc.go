// Package headtrain trains softmax heads on a matrix of features: linear heads,
// and MLPs of one hidden layer. It knows nothing of images, or of where features
// come from.
//
// There are few types. A Dataset holds rows of features, their labels and the
// names of the classes. Options say how one head is trained. A Job is a Dataset
// and the Options of one or more heads; a Trainer turns it into one Result a
// head. A Head classifies raw features, whatever was done to them in training,
// and is saved as a safetensors file; torchvision's ResNet loads the tensors of a
// linear one as its fc layer. An Engine is a Trainer with a name: New returns the
// one of this package, for linear heads. Package graph has another one, which
// also trains MLPs and is slower.
//
// Package judge tells how good a head is and how far to believe it. Package
// probe tells what features say of their labels.
//
// # Equal bits
//
// Equal data, options and seed give equal bits, at any number of threads, on any
// machine, alone or beside other heads; package graph promises that on one machine
// only. Trainer says in which order sums run. The saved head has the map of features folded into its weights, in float64, so
// its logits differ from those of training in the last places.
//
// # Memory
//
// Rows are read where they lie and never copied as a whole, so Dataset.X may be a
// read-only mapping of a file larger than memory. All passes go through it in
// order, but for an epoch's, which takes rows at random unless the shuffle is
// ShuffleBlocks.
//
// Beside the dataset, Fit holds for one stack of heads at a time: at most 2 MiB of
// weights (or those of one head), up to five times as much for the optimizer,
// early stopping and the average, and scratch for 1024 rows. L-BFGS remembers ten
// steps in float64, some fifty times the weights of its head, keeps up to 256 MiB of mapped
// rows, and copies the labelled rows where the input is "l2". Its heads are trained side by
// side, as many as there are threads and 512 MiB have room for, and one in any case.
//
// # Ownership
//
// Slices of a Dataset, a Job and Options are the caller's: they are read during a
// call and not kept. Slices of a Result and a Head belong to who receives them.
package headtrain
