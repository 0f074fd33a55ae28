// Package dataset lists the images of a data set and gives each a label and a part.
//
// A [Dataset] has one [Item] for each image. [Scan] makes it from folders, a table, or
// archives: tars as WebDataset has them, and parquet files as Hugging Face has them. It opens
// an archive only where no kept dataset knows it by its size, times and number. It stats
// files, and opens one only where its name does not say whether it is
// an image. An item's content is known by the SHA-256 of the file's bytes once something
// has read it; labels and parts are no part of that. The dataset is kept as one document
// of the cache ([Load], [Dataset.Encode]), so that a head can be trained while the images
// are elsewhere, and so that a file that has not changed need not be read to know its
// content ([Dataset.Recollect]).
//
// [Dataset.AssignParts] splits what the sources do not: within each class, by content
// hash, so that nothing moves when files are added. [Folds] deals training items to the
// folds of a cross-validation in the same way.
package dataset
