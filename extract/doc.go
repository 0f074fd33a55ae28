// Package extract turns encoded images into ResNet-18 features, and says exactly
// which function that is.
//
//	x, err := extract.Open(ctx, extract.Options{})   // weights, fingerprint, engine
//	err = x.Extract(ctx, images, rows, errs)         // bytes in, 512 floats an image out
//	id := x.Fingerprint().ID("float32")              // the name of the function
//
// An [Extractor] decodes an image (JPEG, PNG, GIF, BMP, WebP, TIFF), turns it
// upright by its EXIF tag, resizes and crops it to 224×224 pixels (or squashes or
// pads it, as [Options] say) with the arithmetic of Pillow and torchvision, and runs
// the backbone up to the global average pool. Its feature is the input of
// torchvision's fc layer: [Dim] float32 values, each ≥ 0.
//
// # Contract
//
// A feature depends only on the image's bytes, on the [Fingerprint] and, in its
// last bits, on the engine's plan ([EngineInfo]): never on the batch that the
// image was in, on the number of goroutines or on their order. Many goroutines may
// call Extract at once; each holds one arena of scratch memory while it runs.
//
// Open is cheap: it maps, checks and hashes the weights, which takes some tens of
// milliseconds. The engine packs its weights at the first Extract, so that a caller
// who finds every feature in a cache never pays for that.
//
// # Weights
//
// Weights are a torchvision resnet18 state dict, .pth or .safetensors, found on this
// machine. [FetchWeights] is the only function here that uses the network; Open calls it
// where [Options.Fetch] says so. No pickle is ever executed.
package extract
