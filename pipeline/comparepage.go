package pipeline

import (
	"bytes"
	"context"

	"icebox/pipeline/files"
	"icebox/pipeline/journal"
	"icebox/pipeline/page"
	"icebox/pipeline/report"
)

// ComparePage holds the heads of runs against that of the first, as [Compare] does, and
// draws what it finds as a page at path. It opens the images that the page shows, where
// their pictures are not kept.
func ComparePage(ctx context.Context, compared []Compared, path string, p Progress) (*report.PageSummary, error) {
	base := compared[0]
	j := journal.New(p, base.Options.Words)
	src, head, info, err := base.open(ctx, j)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	one, err := base.judge(ctx, src, head)
	if err != nil {
		return nil, err
	}
	c := &page.Comparison{}
	for _, rival := range compared[1:] {
		other, err := rival.heldOut(ctx, j)
		if err != nil {
			return nil, err
		}
		pair, err := compare(one, other)
		if err != nil {
			return nil, err
		}
		c.Pairs = append(c.Pairs, pair)
	}
	j.Stage("draw")
	a, err := openAlbum(src, base.Options.adopt(info), forEver)
	if err != nil {
		return nil, err
	}
	c.Where = a.address
	if c.Pictures, err = a.illustrate(ctx, c.Paths(), j); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := page.WriteComparison(&out, c); err != nil {
		return nil, err
	}
	if err := files.Write(path, out.Bytes()); err != nil {
		return nil, err
	}
	s := &report.PageSummary{Page: path, Bytes: out.Len(), Pictures: len(c.Pictures), Opened: a.opened, Compared: c.Pairs}
	s.Summary = *summaryOf(src, j)
	return s, nil
}
