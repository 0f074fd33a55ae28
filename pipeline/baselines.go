package pipeline

import (
	"context"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/report"
)

// baselineName names the document of the baselines of a space.
const baselineName = "baselines"

// baselinesOf holds a head against baselines on the part that it is reported on: test, or
// else validation; nil if there is neither.
func baselinesOf(ctx context.Context, src features.Source, p parts, head *headtrain.Head) (*report.Baselines, error) {
	on, part, val := p.test, dataset.Test, p.val
	if on.Len() == 0 {
		on, part, val = p.val, dataset.Val, nil
	}
	if on.Len() == 0 {
		return nil, nil
	}
	b := &report.Baselines{Part: part.String()}
	mem, ok := src.(memory)
	if !ok {
		refs, err := references(ctx, p.train, val, on)
		if err == nil {
			b.Found, err = refs.Beside(ctx, on.Data, head)
		}
		return b, err
	}
	memo := rowsMemo[judge.References]{memory: mem, name: baselineName, version: judge.ReferencesVersion, key: rowsKey(src.Dataset(), p.train, val, on)}
	if refs := memo.recall(); refs != nil {
		if found, err := refs.Beside(ctx, on.Data, head); err == nil {
			b.Found = found
			return b, nil
		}
	}
	refs, err := references(ctx, p.train, val, on)
	if err != nil {
		return b, err
	}
	memo.keep(refs)
	b.Found, err = refs.Beside(ctx, on.Data, head)
	return b, err
}

// references are made of rows; val may be nil.
func references(ctx context.Context, train, val, on *features.Rows) (*judge.References, error) {
	var choose *headtrain.Dataset
	if val != nil && val.Len() > 0 {
		choose = val.Data
	}
	return judge.NewReferences(ctx, train.Data, choose, on.Data)
}
