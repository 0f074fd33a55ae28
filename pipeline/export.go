package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/export"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
)

// Export takes the classifier of the run in dir to another program, in the form that e says,
// and checks what it made. It needs the weights that the head was trained on, but for
// [export.Sklearn], and computes on the CPU.
func Export(ctx context.Context, dir string, e export.Options, o Options, p Progress) (*export.Exported, error) {
	if err := e.Validate(); err != nil {
		return nil, err
	}
	head, info, err := runs.Head(dir)
	if err != nil {
		return nil, err
	}
	if err := e.Fits(head, info); err != nil {
		return nil, err
	}
	m := export.Model{Head: head, Info: info, Name: filepath.Base(dir), Program: o.Output.Program}
	if _, err := os.Stat(filepath.Join(dir, runs.ReportFile)); err == nil { // a head may be without a run
		if m.Report, err = report.Read(dir); err != nil {
			return nil, err
		}
	}
	j := journal.New(p, o.Words)
	if export.NeedsWeights(e.Format) {
		if info.Features != "" {
			return nil, noImages(dir, info)
		}
		j.Stage("weights")
		x, err := openForExport(ctx, o.adopt(info), head, info)
		if err != nil {
			return nil, err
		}
		defer x.Close()
		if m.Net = x; x.Weights().Random() {
			j.Tell("this head stands on random weights: its answers mean nothing")
		}
	}
	j.Stage("export")
	j.Start("export", 0)
	return export.Write(ctx, m, e)
}

// openForExport opens the backbone of a head, whatever precision its features were computed
// in: an export computes in float32, and so does what it is compared with.
func openForExport(ctx context.Context, o Options, head *headtrain.Head, info runs.HeadInfo) (*extract.Extractor, error) {
	if id := info.Fingerprint.ID(string(info.DType)); id != head.Fingerprint {
		return nil, fmt.Errorf("%w: the head was trained on features of %.12s…, and says that they were made as those of %.12s… are", headtrain.ErrFingerprint, head.Fingerprint, id)
	}
	now := o.extractOptions().Preprocess()
	if now != info.Fingerprint.Preprocess {
		return nil, fmt.Errorf("%w: the head was trained on images that were prepared otherwise than this program does", headtrain.ErrFingerprint)
	}
	o.Backbone.Engine, o.Backbone.Device, o.Backbone.Precision = extract.Native, "", ""
	return extract.Open(ctx, o.extractOptions())
}
