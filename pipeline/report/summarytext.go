package report

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize"

	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/runs"
	"icebox/pipeline/words"
)

// Style is how a text names paths and says what a person can do next. The zero value
// gives paths as they are, and steps as [journal.Step.String] does.
type Style struct {
	Path  func(string) string
	Words func(journal.Step) string
}

func (y Style) path(p string) string {
	if y.Path == nil {
		return p
	}
	return y.Path(p)
}

func (y Style) words(s journal.Step) string {
	if y.Words == nil {
		return s.String()
	}
	return y.Words(s)
}

// Text writes for a person where the features came from and where the time went.
func (s *Summary) Text(w io.Writer, y Style) {
	if s.Features == "" && s.Hits+s.ImagesOpened+s.KnownBad == 0 {
		return // it came to no feature
	}
	fmt.Fprintf(w, "features   %s\n", s.featuresText(y))
	if s.Quarantined > 0 {
		fmt.Fprintf(w, "bad        %s quarantined, the first: %s: %s\n", words.Count(s.Quarantined, "image"), words.Name(s.Quarantine[0].Path), s.Quarantine[0].Reason)
		if s.KnownBad > 0 {
			fmt.Fprintf(w, "           %s of them known from before and not tried again; %s does that\n", words.Number(s.KnownBad), y.words(journal.SetTo("Extract.RetryFailed", true)))
		}
	}
	if s.Computed > 0 && s.Times.Seconds > 0 {
		fmt.Fprintf(w, "rate       %.1f images/s on %s (%s), %s; %s\n", float64(s.Computed)/s.Times.Seconds, s.Engine, s.ISA, words.Count(s.Times.Workers, "worker"), whereTimeWent(s.Times, y))
	}
}

// featuresText says where the features came from.
func (s *Summary) featuresText(y Style) string {
	if s.Features != "" {
		return fmt.Sprintf("%s of %d from %s", words.Count(s.Images, "row"), s.Dim, y.path(s.Features))
	}
	return fmt.Sprintf("%s: %s from the cache, %s computed; %s opened, %s read", words.Count(s.Images, "image"), words.Number(s.Hits), words.Number(s.Computed),
		words.Count(s.ImagesOpened, "image"), humanize.Bytes(uint64(s.BytesRead)))
}

// whereTimeWent gives the shares of the workers' time, and what the largest one answers to.
func whereTimeWent(t features.Times, y Style) string {
	all := t.Read + t.Hash + t.Decode + t.Forward + t.Write
	if all == 0 {
		return ""
	}
	share := func(f float64) string { return words.Share(f / all) }
	text := fmt.Sprintf("time: read %s, hash %s, decode %s, backbone %s, cache %s",
		share(t.Read), share(t.Hash), share(t.Decode), share(t.Forward), share(t.Write))
	switch {
	case t.Read > all/2:
		text += fmt.Sprintf(" (a faster disk, or %s, would help)", y.words(journal.Step{Do: journal.Raise, Field: "Extract.Workers"}))
	case t.Write > all/2:
		text += " (a faster disk for the cache would help)"
	}
	return text
}

// Text writes s for a person: also how good the head is and where it lies.
func (s *RunSummary) Text(w io.Writer, y Style) {
	s.Summary.Text(w, y)
	s.headText(w, y)
}

func (s *RunSummary) headText(w io.Writer, y Style) {
	qualityLine(w, "quality   ", s.Quality)
	if s.Tuned != nil {
		fmt.Fprintf(w, "tuned      %s\n", s.Tuned)
	}
	if len(s.Settings) > 0 {
		fmt.Fprintf(w, "settings   %s\n", strings.Join(s.Settings, " "))
	}
	fmt.Fprintf(w, "training   %s\n", s.trainingText(s.Course()))
	fmt.Fprintf(w, "accuracy   %s\n", s.accuracyText())
	if text := s.intervalText(); text != "" {
		fmt.Fprintf(w, "interval   %s\n", text)
	}
	s.Corrections.line(w, "corrected ")
	if b := s.Baseline; b != nil {
		fmt.Fprintf(w, "baseline   %s: %s%s, with nothing to tune\n", b.Name, words.Percent(b.Accuracy), baselineSample(b))
	}
	if s.RandomWeights {
		fmt.Fprintln(w, "           with random weights: these numbers say that icebox works, not how good a classifier can be")
	}
	if s.RunDir != nil {
		fmt.Fprintf(w, "run        %s\n", y.path(*s.RunDir))
		fmt.Fprintf(w, "page       %s\n", y.path(filepath.Join(*s.RunDir, runs.PageFile)))
	}
	fmt.Fprintf(w, "took       %s\n", words.Duration(s.Seconds))
}

// accuracyText gives the accuracy on each part that has images.
func (s *RunSummary) accuracyText() string {
	var parts []string
	if s.ValRows > 0 {
		parts = append(parts, fmt.Sprintf("val %s (%s)", words.PercentOrDash(s.ValAcc), words.Count(s.ValRows, s.Thing())))
	}
	if s.TestRows > 0 {
		parts = append(parts, fmt.Sprintf("test %s (%s)", words.PercentOrDash(s.TestAcc), words.Count(s.TestRows, s.Thing())))
	}
	if len(parts) == 0 {
		return fmt.Sprintf("unknown: there is no %s of val or test", s.Thing())
	}
	return strings.Join(parts, ", ")
}

// intervalText gives the intervals of these accuracies; "" if there are none.
func (s *RunSummary) intervalText() string {
	var parts []string
	if i := s.ValAccRange; i != nil {
		parts = append(parts, "val "+between(i))
	}
	if i := s.TestAccRange; i != nil {
		parts = append(parts, "test "+between(i))
	}
	if len(parts) == 0 {
		return ""
	}
	return "of 95 %, of the accuracy: " + strings.Join(parts, ", ")
}

// trainingText says how the training went, which took the given course.
func (s *TrainSummary) trainingText(course string) string {
	return fmt.Sprintf("%s, best %d, on %s, %s each%s; loss %.4g, accuracy %s",
		course, s.BestEpoch, words.Count(s.TrainRows, "row"), words.Duration(s.EpochSeconds), s.Rate(), s.TrainLoss, words.Percent(s.TrainAcc))
}

// Text writes s for a person, with the sweep that the head is from.
func (s *SweepSummary) Text(w io.Writer, y Style) {
	s.Summary.Text(w, y)
	s.Report.Text(w)
	fmt.Fprintf(w, "\nrate       %.1f head-epochs/s over %s; %s of %s were there already\n", s.HeadEpochsPerSecond, words.Duration(s.SweepSeconds), words.Number(s.Resumed), words.Count(s.Heads, "head"))
	s.headText(w, y)
}
