// Package embed is the way into icebox from a Go program: images in, features out, each
// image computed once.
//
//	e, err := embed.Open(ctx, embed.Options{Cache: "features.db"})
//	x, errs, err := e.Images(ctx, photos...)             // bytes of image files → 512 floats an image
//
//	fit, err := headtrain.New().Fit(ctx, headtrain.Job{  // floats and labels → a head
//		Train: &headtrain.Dataset{X: x, Dim: extract.Dim, Labels: labels, Classes: classes},
//		Heads: []headtrain.Options{{Optimizer: headtrain.OptimizerLBFGS, Epochs: 500}},
//	})
//	head := fit[0].Head
//	err = e.Describe(head)                               // what its features are
//	err = head.Save("head.safetensors")                  // for `icebox predict --run head.safetensors`
//
//	row, err := e.Image(ctx, photo)                      // features of one image → the likeliest classes
//	best := head.Predict(row, 3)
//
// The cache is the command's: rows that a program computes are found by `icebox run`, and the
// other way round. They are found by the SHA-256 of the image's bytes within a space, which
// is the name of the function that made them; see package cache.
//
// A head of a run folder is opened by runs.Head or headtrain.LoadHead, one that is embedded in
// a program by headtrain.DecodeHead. Whole programs, from folders of images to run folders,
// are in package pipeline.
package embed
