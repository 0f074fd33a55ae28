package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"icebox/cache"
	"icebox/config"
	"icebox/extract"
	"icebox/extract/cuda"
	"icebox/headtrain"
	"icebox/pipeline/bucket"
	"icebox/pipeline/corrections"
	"icebox/pipeline/dataset"
	"icebox/pipeline/evidence"
	"icebox/pipeline/export"
	"icebox/pipeline/export/rows"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/predictions"
	"icebox/pipeline/runs"
	"icebox/pipeline/shards"
	"icebox/pipeline/sweep"
	"icebox/pipeline/words"
	"icebox/pipeline/worker"
)

// hints say what to type next, by the class of an error. The first class that fits counts,
// so that the narrower one stands before the wider one. After "try:" each reads as a thing
// to try.
var hints = []hintOf{
	{of: extract.ErrNoWeightsOfHash, text: "the file that these features were made with, or `icebox weights fetch` for torchvision's"},
	{of: errOffline, by: (*process).onlineHint},
	{of: extract.ErrWeightsVariable, text: "another value of the variable, or none"},
	{of: extract.ErrDownloadRange, text: "the same command again, which begins anew"},
	{of: extract.ErrDownloadBroken, text: "the same command again, which goes on from there"},
	{of: extract.ErrChecksum, text: "to fetch it again, or from another place"},
	{of: extract.ErrDownload, by: (*process).byHand},
	{of: extract.ErrNoWeights, text: "`icebox weights fetch`, which downloads them, or --weights FILE"},
	{of: extract.ErrEnginesDisagree, say: disagreeHint},
	{of: extract.ErrISA, text: "backbone.isa=auto, which takes the fastest that there is"},
	{of: cuda.ErrNoneOpens, text: "backbone.device=cpu, which goes on without it"},
	{of: extract.ErrNoDevice, say: libraryHint},
	{of: extract.ErrEngineUnavailable, say: libraryHint},

	{of: cache.ErrCorrupt, text: "`icebox cache verify` lists the damage, `icebox cache compact --salvage` keeps what is sound, `icebox extract` computes the rest again"},
	{of: cache.ErrNewer, text: "a newer icebox"},
	{of: cache.ErrNotCache, text: "another --cache FILE, or to move that file away"},
	{of: runs.ErrBusy, text: "again when that process is done"},
	{of: cache.ErrLocked, text: "again when that process is done, or --wait 1h to queue for it"},
	{of: cache.ErrFull, text: diskHint},
	{of: syscall.ENOSPC, text: diskHint},
	{of: cache.ErrNoSpace, text: "`icebox cache stat`, which lists the spaces"},

	{of: bucket.ErrAddress, text: "s3://BUCKET/PREFIX, with AWS_ENDPOINT_URL=http://HOST:PORT for another store than AWS; gs://BUCKET/PREFIX; or azblob://CONTAINER/PREFIX, with AZURE_STORAGE_ACCOUNT"},
	{of: bucket.ErrDenied, text: "credentials that may list, read and (for parts) write there: AWS_PROFILE, AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, GOOGLE_APPLICATION_CREDENTIALS or AZURE_STORAGE_KEY"},
	{of: bucket.ErrMissing, text: "another address; AWS_ENDPOINT_URL and AWS_REGION say which store it is in"},
	{of: bucket.ErrStore, text: "the same command again when the store answers: what was computed is kept"},

	{of: corrections.ErrMissing, text: "another data.corrections, or `icebox studio`, which makes the file"},
	{of: corrections.ErrHeld, text: "again when that process is done, or another data.corrections"},
	{of: corrections.ErrChanged, text: "the same command again, which reads the file as it is now"},
	{of: corrections.ErrFormat, text: "to mend that line in an editor: `icebox corrections --help` shows the form"},
	{of: dataset.ErrNoSource, text: "--data DIR, or the key data.train"},
	{of: dataset.ErrAlike, text: "one name for both folders, or for both labels"},
	{of: dataset.ErrEncoding, text: "to save the table as UTF-8 (in Excel: CSV UTF-8)"},
	{of: dataset.ErrSeveralLabels, text: "a table with one label an image"},
	{of: dataset.ErrFolds, text: "a smaller sweep.folds, or more images"},
	{of: errNoCache, text: "--cache FILE, or `icebox extract --data DIR`, which makes one"},
	{of: features.ErrChooseDataset, text: "--dataset NAME"},
	{of: features.ErrChooseSpace, text: "--space ID"},
	{of: features.ErrChanged, text: "again once nothing writes to that folder; a new version is best written beside it and renamed"},
	{of: features.ErrFolder, text: "--features with a folder of features.npy and labels.npy, as `icebox cache export --out DIR` writes it"},
	{of: features.ErrNotExtracted, text: "`icebox extract --data DIR`, or `icebox run --data DIR`"},
	{of: worker.ErrFormat, text: "--format with one of them"},
	{of: worker.ErrInput, text: "the stream again, from its first image: rows that were written are right"},
	{of: shards.ErrIncomplete, text: "`icebox extract --manifest FILE --shard i/n --parts DIR` for each of them"},
	{of: shards.ErrMixed, text: "a folder of its own for the parts of each manifest, and one n for all its shards"},
	{of: shards.ErrPart, text: "`icebox extract` with that shard again, which makes it anew"},
	{of: shards.ErrManifest, text: "`icebox manifest --data DIR --out FILE`, which makes one"},
	{of: shards.ErrNewer, text: "a newer icebox"},
	{of: features.ErrOtherFeatures, text: "the settings and weights that the manifest or the cache was made with"},
	{of: runs.ErrPartial, text: "the folder that the sweep named when it began"},
	{of: runs.ErrRun, text: "a folder that `icebox run`, `icebox train` or `icebox sweep` wrote"},
	{of: runs.ErrNoRun, text: "`icebox runs`, which lists them, or output.dir=DIR, if they are elsewhere"},
	{of: runs.ErrReadOnly, text: "output.dir=DIR, with a folder that you may write to"},
	{of: features.ErrReadOnly, text: "--cache FILE, or ICEBOX_CACHE_PATH, with a folder that you may write to"},
	{of: predictions.ErrExists, text: "another name, or --overwrite"},
	{of: evidence.ErrNone, text: "a linear head: `icebox train head.kind=linear`"},
	{of: predictions.ErrFormat, text: "a name that ends in " + words.Or(predictions.Endings())},

	{of: export.ErrExists, text: "another --out, for torch in a folder of its own"},
	{of: export.ErrForm, text: "--format onnx, which expresses every head and preprocessing; `icebox export --help` lists the forms"},
	{of: rows.ErrFormat, text: "--format with one of them"},
	{of: export.ErrDisagrees, text: "the same command again, in case a file was damaged on the disk; else please report this"},

	{of: sweep.ErrNothing, text: "sweep.axes.lr='{log: [1e-4, 1e-1], steps: 7}', or `icebox train` for one head"},
	{of: sweep.ErrManyHeads, text: "--yes, which trains them all"},
	{of: sweep.ErrResume, text: "a new sweep, without --resume"},
	{of: headtrain.ErrNewer, text: "a newer icebox"},
	{of: headtrain.ErrDiverged, say: divergedHint},
	{of: headtrain.ErrEngine, say: engineHint},
	{of: config.ErrConfig, say: configHint},
}

// hintOf is the hint of a class of errors.
type hintOf struct {
	of   error
	text string
	say  func(error) string    // instead of text, where the error knows more; "" is no hint
	by   func(*process) string // instead of text, where the process knows more
}

// onlineHint is about a download that is forbidden.
func (p *process) onlineHint() string {
	return "`icebox weights fetch` without " + p.forbidden() + ", " + p.byHand()
}

// byHand says how to do without a download: which file to bring where, in a line each.
func (p *process) byHand() string {
	o := p.download(extract.FetchOptions{})
	return fmt.Sprintf("--weights FILE, or to bring the file by hand\n    from %s\n    to   %s", cmp.Or(o.URL, extract.OfficialWeightsURL), filepath.Dir(o.Target()))
}

const diskHint = "the same command again when there is room: what was committed is kept"

func disagreeHint(err error) string {
	var disagree *extract.DisagreeError
	setting := "backbone.isa=portable"
	if errors.As(err, &disagree) && disagree.Engine.Name != extract.Native {
		setting = "backbone.device=cpu"
	}
	return setting + ", which goes on without it (nothing was written), and please report this"
}

func libraryHint(err error) string {
	var library *cuda.LibraryError
	if !errors.As(err, &library) {
		return "backbone.device=cpu"
	}
	text := "to install NVIDIA's driver"
	if library.Package != "" {
		text = "`pip install " + library.Package + "`"
	}
	return text + ", or backbone.device=cpu"
}

// divergedHint is about the head that diverged: a tenth of its learning rate, if it has one.
func divergedHint(err error) string {
	var d *headtrain.Divergence
	all := []string{"a smaller head.lr", "`icebox train --find-lr`"}
	if errors.As(err, &d) {
		o := d.Options
		switch {
		case o.Optimizer == headtrain.OptimizerLBFGS:
			all = []string{"features that are nearer to 1"}
		case o.LR > 1:
			all = []string{"head.lr=0.001", "`icebox train --find-lr`"}
		default:
			all = []string{fmt.Sprintf("head.lr=%.1g", o.LR/10)}
		}
		if o.Input != headtrain.InputStandardise {
			all = append(all, "head.input="+headtrain.InputStandardise)
		}
	}
	return words.Or(all)
}

// engineHint is about an option that one engine cannot follow.
func engineHint(err error) string {
	var f headtrain.Fault
	switch errors.As(err, &f); {
	case f.Engine == headtrain.EngineFused:
		return "head.engine=gorgonia"
	case f.Field == "Optimizer":
		return "another head.optimizer or head.engine=fused"
	}
	return "head.engine=fused or to leave that out"
}

func configHint(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "`icebox config init`, which writes one to start from"
	}
	return ""
}

// hint is what to try next: the steps that err carries, or what fits its class; "" if the
// error says all.
func (p *process) hint(err error) string {
	var all []string
	for _, s := range journal.Steps(err) {
		all = append(all, p.words(s))
	}
	for _, h := range hints {
		if !errors.Is(err, h.of) {
			continue
		}
		text := h.text
		switch {
		case h.say != nil:
			text = h.say(err)
		case h.by != nil:
			text = h.by(p)
		}
		if all == nil || errors.Is(h.of, sweep.ErrManyHeads) {
			all = append(all, text)
		}
		break
	}
	return words.Or(all)
}

// words returns the command, key or value that takes a step.
func (p *process) words(s journal.Step) string {
	key := config.KeyOf(s.Field)
	switch s.Do {
	case journal.Set:
		return quoted(key + "=" + s.Value)
	case journal.Raise:
		if s.Field == "Head.Epochs" {
			return "more " + key
		}
		return "a larger " + key
	case journal.Lower:
		if s.Field == "Sweep.Axes" {
			return "fewer values or steps in " + key
		}
		return "a smaller " + key
	case journal.Change:
		return "another " + key
	case journal.FetchWeights:
		return "`icebox weights fetch`"
	case journal.Extract:
		return "`icebox extract`"
	case journal.Inspect:
		return "`icebox insight`"
	case journal.FindRate:
		return "`icebox train --find-lr`"
	case journal.Resume:
		return "`icebox sweep --resume " + quoted(p.short(s.Dir)) + "`"
	case journal.JudgeRows:
		return "`icebox eval --run " + quoted(p.short(s.Dir)) + " --features DIR`"
	case journal.TrainRows:
		return "`icebox train --features " + quoted(p.short(s.Dir)) + "`"
	case journal.DrawPage:
		return "`icebox report --run " + quoted(p.short(s.Dir)) + "`"
	case journal.Repeat:
		change := s.Value
		if s.Field != "" {
			change = quoted(key + "=" + s.Value)
		}
		return strings.TrimSpace("`icebox train --config "+quoted(filepath.Join(p.short(s.Dir), runs.ConfigFile))+" "+change) + "`"
	case journal.Convert:
		return "`magick mogrify -format jpg IMAGES`, or another program that converts them to JPEG or PNG"
	case journal.NamePart:
		return "data.train, data.val and data.test, one each"
	}
	return s.String()
}

// quoted is a word as a POSIX shell takes it.
func quoted(word string) string {
	plain := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("-_./=:,+@%", r)
	}
	if word != "" && strings.TrimFunc(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
