package main

// featuresHelp says what --features takes.
const featuresHelp = `
--features DIR takes the features from a folder instead of the cache, whatever
made them, in the form that ` + "`icebox cache export`" + ` writes:

  features.npy   rows × dimensions, float32 (float16 and float64 are converted)
  labels.npy     a label a row, int64 or int32, -1 for none
  index.csv      may be left out: row,path,label,split,sha256[,group] names
                 classes, splits and files
  val/, test/    may be left out: folders of the same form

Without val/ and without splits all rows train, and nothing is held out.
Features in float32 of more than 1 GB stay in their file, where the rows of a
part lie together, so that they may exceed the memory. A head that was trained
so does not know what made its features: eval --features judges it, and predict
refuses it.`
