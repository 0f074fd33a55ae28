package main

import (
	"github.com/spf13/cobra"

	"icebox/config"
	"icebox/pipeline"
)

// featuresHelp says what --features takes.
const featuresHelp = `
--features DIR takes the features from a folder instead of the cache, whatever made them,
in the form that ` + "`icebox cache export`" + ` writes:

  features.npy   rows × dimensions, float32 (float16 and float64 are converted)
  labels.npy     a label a row, int64 or int32, -1 for none
  index.csv      may be left out: row,path,label,split,sha256[,group] names classes,
                 splits and files
  val/, test/    may be left out: folders of the same form

Without val/ and without splits all rows train, and nothing is held out. Float32 features
past 1 GB stay in their file, where the rows of a part lie together: they may exceed the
memory. A head trained so does not know what made its features: eval --features judges it,
predict refuses it.`

// featuresFlag adds --features.
func featuresFlag(cmd *cobra.Command, c *pipeline.Choice) {
	cmd.Flags().StringVar(&c.Features, "features", "", "`folder` of features.npy and labels.npy, to be used instead of the cache")
}

// checkFeatures refuses flags that say where else features are.
func checkFeatures(cmd *cobra.Command, features string, cfg *config.Config) error {
	if features == "" {
		return nil
	}
	for _, flag := range []string{"dataset", "space"} {
		if cmd.Flags().Changed(flag) {
			return usagef("--features and --%s: choose one, a folder of features or the cache", flag)
		}
	}
	for key, flag := range map[string]string{"data.train": "--data", "cache.path": "--cache"} {
		if cfg.OnCommandLine(key) {
			return usagef("--features and %s: choose one, a folder of features or the cache", flag)
		}
	}
	return nil
}
