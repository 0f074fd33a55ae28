package dataset

// listParquet lists the images of a parquet file.
func listParquet(a *archive, r Reading, unlabelled bool) error {
	return a.fault("parquet files are not read yet")
}
