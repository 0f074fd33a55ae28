package config

import (
	"slices"

	"icebox/headtrain"
	"icebox/pipeline"
	"icebox/pipeline/bucket"
	"icebox/pipeline/dataset"
)

type options = pipeline.Options

// stored reads a source of images, which may be a dataset that the cache keeps.
var stored = pathCodec{prefixes: append([]string{dataset.Stored}, bucket.Schemes...)}

// table holds every key, in the order in which people meet them. A published name keeps
// its meaning.
var table = slices.Concat(dataKeys(), backboneKeys(), extractKeys(), cacheKeys(),
	headKeys(), optimizerKeys(), stoppingKeys(), sweepKeys(), axisKeys(), outputKeys())

func dataKeys() []*key {
	return []*key{
		newKey("data.train", stored, func(o *options) *string { return &o.Data.Train },
			"folder of class folders, folder that holds train, val and test, or a table (.csv, .tsv, .jsonl: path,label[,split,group]); or archives, which are read as they are: a WebDataset .tar, shards/train-{000..009}.tar, a .parquet file with images as Hugging Face has it, or a folder that holds such and no images; s3://BUCKET/PREFIX (or gs://, azblob://) is a bucket with folders as on a disk, or archives in one; cache:NAME is a dataset as the cache keeps it, whose files may be gone").like("images/train"),
		newKey("data.also", paths{path: stored}, func(o *options) *[]string { return &o.Data.Also },
			"more folders, tables or stored datasets, read as data.train; classes of one name are one class").like("[images/more, cache:old]"),
		newKey("data.val", pathCodec{prefixes: bucket.Schemes}, func(o *options) *string { return &o.Data.Val },
			"validation images, as data.train; without it data.split.val is taken from train").like("images/val"),
		newKey("data.test", pathCodec{prefixes: bucket.Schemes}, func(o *options) *string { return &o.Data.Test },
			"test images, as data.train; without it data.split.test is taken from train").like("images/test"),
		newKey("data.name", text{}, func(o *options) *string { return &o.Data.Name },
			"name of the dataset in the cache; without it, one made from data.train").like("flowers"),
		newKey("data.corrections", pathCodec{}, func(o *options) *string { return &o.Data.Corrections },
			"file of corrections, as the studio writes it: labels to change or to trust, images to leave out; pictures that it has kept in a folder beside that file count as images; the images and the cache stay as they are").like("corrections.csv"),
		newKey("data.split.val", number{}, func(o *options) *float64 { return &o.Data.Split.Val },
			"fraction of each class to validate on, where there is no data.val"),
		newKey("data.split.test", number{}, func(o *options) *float64 { return &o.Data.Split.Test },
			"fraction of each class to test on, where there is no data.test"),
		newKey("data.split.near", boolean{}, func(o *options) *bool { return &o.Data.Split.Near },
			"keep near copies, such as frames of one film, in one part; it compares all images with each other once, which takes a second for 5,000 and minutes for 100,000"),
		newKey("data.max_classes", whole[int]{}, func(o *options) *int { return &o.Data.MaxClasses },
			"with more classes nothing is trained: a column of numbers has been taken for labels, as a rule"),
		newKey("data.layout", text{}, func(o *options) *string { return &o.Data.Reading.Layout },
			"what folders stand for: auto tells by names and contents, and stops where it cannot; classes takes every folder for a class; parts takes those named after parts (train, val, dev, test …) and passes over others"),
		newKey("data.exclude", texts{}, func(o *options) *[]string { return &o.Data.Reading.Exclude },
			"folders and files below the source to pass over: patterns as in a .gitignore, such as raw/ or *_mask.*").like(`[raw/, "*_mask.*"]`),
		newKey("data.root", pathCodec{}, func(o *options) *string { return &o.Data.Reading.Root },
			"folder that the paths in a table start from; without it, the table's own").like("images"),
		newKey("data.suffix", text{}, func(o *options) *string { return &o.Data.Reading.Suffix },
			"added to the paths in a table that do not end in it; without it, usual endings are tried").like(".jpg"),
		newKey("data.columns.path", text{}, func(o *options) *string { return &o.Data.Reading.Columns.Path },
			"column of a table with the path of each image, or of a parquet file with the images; without it, one of a usual name").like("id"),
		newKey("data.columns.label", text{}, func(o *options) *string { return &o.Data.Reading.Columns.Label },
			"column with the class; in a tar, the ending of the member that says it (cls, txt) or a field of the .json; without it, one of a usual name, and cls").like("breed"),
		newKey("data.columns.split", text{}, func(o *options) *string { return &o.Data.Reading.Columns.Split },
			"column with train, val or test; without it, one of a usual name").like("subset"),
		newKey("data.columns.group", text{}, func(o *options) *string { return &o.Data.Reading.Columns.Group },
			"column that names what stays in one part, such as a patient; without it, one called group").like("patient"),
	}
}

func backboneKeys() []*key {
	return []*key{
		newKey("backbone.name", text{}, func(o *options) *string { return &o.Backbone.Name },
			"the frozen network"),
		newKey("backbone.weights", pathCodec{words: []string{"auto", "random"}, prefixes: bucket.Schemes}, func(o *options) *string { return &o.Backbone.Weights },
			"path of a .pth or .safetensors file, or its address in a bucket (s3://BUCKET/NAME), from which it is copied once; auto looks on this machine, and downloads torchvision's file, once, where there is none; random or random:SEED is for smoke tests"),
		newKey("backbone.engine", text{}, func(o *options) *string { return &o.Backbone.Engine },
			"what computes: auto, native, cuda"),
		newKey("backbone.device", text{}, func(o *options) *string { return &o.Backbone.Device },
			"auto takes the GPUs, if they and cuDNN are there; else cpu, cuda (every GPU), cuda:1 or cuda:0,1"),
		newKey("backbone.precision", text{}, func(o *options) *string { return &o.Backbone.Precision },
			"arithmetic; features of each are kept apart. bf16 is for CPUs with AVX512-BF16, tf32 and fp16 are for GPUs"),
		newKey("backbone.isa", text{}, func(o *options) *string { return &o.Backbone.ISA },
			"widest instruction set the native engine may use"),
		newKey("backbone.plan", text{}, func(o *options) *string { return &o.Backbone.Plan },
			"how the native engine computes: winograd is fastest and holds 250 MB of weights, compact 60 MB; auto is winograd; rows of both share the cache and differ by less than fp32's tolerance"),
	}
}

func extractKeys() []*key {
	return []*key{
		newKey("extract.workers", whole[int]{}, func(o *options) *int { return &o.Extract.Workers },
			"images worked on at a time; 0 is one a processor"),
		newKey("extract.batch_size", whole[int]{}, func(o *options) *int { return &o.Extract.BatchSize },
			"images a worker takes at a time"),
		newKey("extract.exif", boolean{}, func(o *options) *bool { return &o.Extract.EXIF },
			"turn photos upright by their EXIF tag"),
		newKey("extract.fit", text{}, func(o *options) *string { return &o.Extract.Fit },
			"how an image becomes a square: crop cuts out the middle, as torchvision does; squash makes its sides equal, so that nothing is lost but the shape; pad keeps all of it and fills what is left of the square. Features of each are kept apart"),
		newKey("extract.background", text{}, func(o *options) *string { return &o.Extract.Background },
			"colour below transparent pixels, and around padded images: white, black or #rrggbb (in a file, in quotes); without it, transparency is ignored, as by Pillow's convert(\"RGB\"), and padding is black. Features of each are kept apart").like("white"),
		newKey("extract.truncated", text{}, func(o *options) *string { return &o.Extract.Truncated },
			"images that end early: refuse counts them as bad; accept takes JPEGs and PNGs as far as they go, and what is missing is grey, coarse or black, as by Pillow's LOAD_TRUNCATED_IMAGES. Features of each are kept apart"),
		newKey("extract.max_pixels", whole[int64]{}, func(o *options) *int64 { return &o.Extract.MaxPixels },
			"larger images are refused before they are decoded"),
		newKey("extract.memory", size{}, func(o *options) *int64 { return &o.Extract.Memory },
			"memory for the images that are read and decoded at a time, by all workers together; one that needs more is refused by its header; 0 is a quarter of what the machine, or the control group of the process, has"),
		newKey("extract.max_failure_rate", number{}, func(o *options) *float64 { return &o.Extract.MaxFailureRate },
			"fraction of bad images past which a run fails, if they are more than 10"),
		newKey("extract.retry_failed", boolean{}, func(o *options) *bool { return &o.Extract.RetryFailed },
			"try images again that are remembered as bad"),
	}
}

func cacheKeys() []*key {
	return []*key{
		newKey("cache.path", pathCodec{}, func(o *options) *string { return &o.Cache.Path },
			"file that keeps features"),
		newKey("cache.dtype", text{}, func(o *options) *string { return &o.Cache.DType },
			"how a feature is stored; float16 halves the file"),
	}
}

func headKeys() []*key {
	return []*key{
		newKey("head.engine", text{[]string{headtrain.EngineFused, "gorgonia"}}, func(o *options) *string { return &o.HeadEngine },
			"what trains; gorgonia is the slow reference, and can train an mlp"),
		newKey("head.tune", text{}, func(o *options) *string { return &o.Tune },
			"auto, in run and train, chooses what is not named of lr, weight_decay, epochs, optimizer and schedule, on images that the head does not learn from: usually the weight decay, for lbfgs; with lr, epochs, schedule, another optimizer, ema, mixup, momentum, warmup or early_stopping named, lr and weight_decay; nothing with all five named, kind mlp, engine gorgonia or too many rows; off trains as the other keys say").instead(pipeline.TuneAuto),
		newKey("head.refit", boolean{}, func(o *options) *bool { return &o.Refit },
			"learn from the validation images, too, and calibrate in folds, each scored by a head that did not learn from it; head.tune auto does so by itself where it may, and the config.yaml of a run says whether it did"),
		newKey("head.kind", text{}, func(o *options) *string { return &o.Head.Kind },
			"linear, or mlp: one hidden layer with ReLU, engine gorgonia only"),
		newKey("head.hidden", whole[int]{}, func(o *options) *int { return &o.Head.Hidden },
			"hidden units of an mlp; 0 is 256"),
		newKey("head.dropout", number{}, func(o *options) *float64 { return &o.Head.Dropout },
			"share of an mlp's hidden units left out of each step"),
		newKey("head.input", text{}, func(o *options) *string { return &o.Head.Input },
			"what is done to features first; standardise is folded into the saved head"),
		newKey("head.epochs", whole[int]{}, func(o *options) *int { return &o.Head.Epochs },
			"passes over the training features"),
		newKey("head.batch_size", whole[int]{}, func(o *options) *int { return &o.Head.BatchSize },
			"rows a step"),
		newKey("head.shuffle", text{}, func(o *options) *string { return (*string)(&o.Head.Shuffle) },
			"rows takes them from anywhere; blocks shuffles windows of 32 MiB, each a sample of all rows: for features that exceed the memory"),
		newKey("head.label_smoothing", number{}, func(o *options) *float64 { return &o.Head.LabelSmoothing },
			"share of the target spread over all classes"),
		newKey("head.mixup", number{}, func(o *options) *float64 { return &o.Head.Mixup },
			"mix each batch with a permutation of itself, by a share from Beta(mixup, mixup); 0 is off, 0.2 is usual"),
		newKey("head.class_weights", classWeights{}, func(o *options) *headtrain.ClassWeights { return &o.Head.ClassWeights },
			"weight of a class in the loss: none, balanced, or a mapping such as {ants: 2}, where classes left out weigh 1"),
		newKey("head.calibrate", boolean{}, func(o *options) *bool { return &o.Answers.Calibrate },
			"fit a temperature on validation, so that probabilities can be believed; changes no label"),
		newKey("head.reject.precision", number{}, func(o *options) *float64 { return &o.Answers.Reject.Precision },
			"predict says unknown under a probability, chosen on validation so that this share of its answers is right; 0 is off"),
		newKey("head.reject.coverage", number{}, func(o *options) *float64 { return &o.Answers.Reject.Coverage },
			"the same, so that this share of the images gets an answer; 0 is off"),
		newKey("head.seed", whole[uint64]{}, func(o *options) *uint64 { return &o.Head.Seed },
			"same seed, same head, to the bit"),
	}
}

func optimizerKeys() []*key {
	return []*key{
		newKey("head.optimizer", text{}, func(o *options) *string { return &o.Head.Optimizer },
			"as PyTorch defines them; lbfgs, on all rows at a time, goes to the optimum: give it head.epochs=1000, because it stops by itself"),
		newKey("head.lr", number{}, func(o *options) *float64 { return &o.Head.LR },
			"learning rate; usual values lie between 1e-4 and 1e-1"),
		newKey("head.weight_decay", number{}, func(o *options) *float64 { return &o.Head.WeightDecay },
			"pull of the weights towards 0"),
		newKey("head.momentum", number{}, func(o *options) *float64 { return &o.Head.Momentum },
			"sgd only"),
		newKey("head.nesterov", boolean{}, func(o *options) *bool { return &o.Head.Nesterov },
			"sgd with momentum only"),
		newKey("head.beta1", number{}, func(o *options) *float64 { return &o.Head.Beta1 },
			"adam and adamw: memory of the mean gradient"),
		newKey("head.beta2", number{}, func(o *options) *float64 { return &o.Head.Beta2 },
			"adam and adamw: memory of the squared gradient"),
		newKey("head.eps", number{}, func(o *options) *float64 { return &o.Head.Eps },
			"adam and adamw: added to the divisor"),
		newKey("head.schedule", text{}, func(o *options) *string { return &o.Head.Schedule },
			"course of the learning rate"),
		newKey("head.warmup", whole[int]{}, func(o *options) *int { return &o.Head.Warmup },
			"epochs in which the learning rate grows from 0, part of head.epochs"),
		newKey("head.step_epochs", whole[int]{}, func(o *options) *int { return &o.Head.StepEpochs },
			"schedule step: epochs between steps; 0 is a third of head.epochs"),
		newKey("head.step_factor", number{}, func(o *options) *float64 { return &o.Head.StepFactor },
			"schedule step: factor of each step"),
		newKey("head.ema", number{}, func(o *options) *float64 { return &o.Head.EMA },
			"decay of a moving average of the weights over the steps, which is what is validated and saved; 0 is none, 0.999 is usual"),
		newKey("head.threads", whole[int]{}, func(o *options) *int { return &o.Head.Threads },
			"threads that train; 0 is one a processor; no influence on the result"),
	}
}

func stoppingKeys() []*key {
	return []*key{
		newKey("head.early_stopping.patience", whole[int]{}, func(o *options) *int { return &o.Head.EarlyStopping.Patience },
			"epochs without improvement after which training stops and the best epoch is kept; 0 is never"),
		newKey("head.early_stopping.min_delta", number{}, func(o *options) *float64 { return &o.Head.EarlyStopping.MinDelta },
			"what counts as an improvement"),
		newKey("head.early_stopping.metric", text{}, func(o *options) *string { return &o.Head.EarlyStopping.Metric },
			"what has to improve"),
	}
}

func sweepKeys() []*key {
	return []*key{
		newKey("sweep.method", text{}, func(o *options) *string { return &o.Sweep.Method },
			"how the axes are searched"),
		newKey("sweep.metric", text{}, func(o *options) *string { return &o.Sweep.Metric },
			"what the best head is best in"),
		newKey("sweep.seeds", whole[int]{}, func(o *options) *int { return &o.Sweep.Seeds },
			"seeds each point is trained with"),
		newKey("sweep.folds", whole[int]{}, func(o *options) *int { return &o.Sweep.Folds },
			"folds of a cross-validation; 0 is none"),
		newKey("sweep.trials", whole[int]{}, func(o *options) *int { return &o.Sweep.Trials },
			"points of a random search; 0 lets the method choose"),
		newKey("sweep.refit", boolean{}, func(o *options) *bool { return &o.Sweep.Refit },
			"train the chosen options again, on training and validation images together"),
	}
}

func outputKeys() []*key {
	return []*key{
		newKey("output.dir", pathCodec{}, func(o *options) *string { return &o.Output.Dir },
			"folder of run folders"),
		newKey("output.name", text{}, func(o *options) *string { return &o.Output.Name },
			"last part of a run folder's name; without it the dataset's name").like("baseline"),
		newKey("output.pictures", boolean{}, func(o *options) *bool { return &o.Pictures },
			"show small pictures of images in report.html; they are kept beside the cache"),
		newKey("output.tensorboard", boolean{}, func(o *options) *bool { return &o.TensorBoard },
			"write the curves of a run into its folder as TensorBoard reads them, too"),
		newKey("output.mlflow", text{}, func(o *options) *string { return &o.MLflow },
			"address of an MLflow tracker that is told of runs: what a head was trained with, its curves and its scores; a run goes on where it cannot be reached").like("http://127.0.0.1:5000"),
		newKey("output.experiment", text{}, func(o *options) *string { return &o.Experiment },
			"experiment that the tracker keeps runs under, made where there is none; without it the dataset's name").like("ants"),
	}
}
