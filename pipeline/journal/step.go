package journal

import (
	"errors"
	"fmt"

	"icebox/pipeline/words"
)

// Action is a kind of [Step].
type Action int

// The actions. Those about an option name it in Step.Field.
const (
	Set          Action = iota + 1 // give Field the value Value
	Raise                          // give Field a larger value
	Lower                          // give Field a smaller value
	Change                         // give Field another value
	FetchWeights                   // get the trained weights of the backbone
	Extract                        // bring the features of all images into the cache
	Inspect                        // look for copies and for doubtful labels
	FindRate                       // look for a learning rate
	Resume                         // go on with the sweep in Dir
	JudgeRows                      // judge the head of the run in Dir on a folder of features
	TrainRows                      // train a head on the folder of features Dir
	NamePart                       // say where the images of each part are
	Convert                        // turn images of foreign formats into JPEG or PNG
	DrawPage                       // draw the page of the run in Dir with all that takes a while
	Repeat                         // train a head as the run in Dir did, but with the value Value for Field, or with the settings in Value
)

// Step is something that a person can do next.
type Step struct {
	Do    Action
	Field string // of pipeline.Options, such as "Head.Epochs"
	Value string // as it is written in a configuration
	Dir   string
}

// SetTo is the step that gives field a value.
func SetTo(field string, value any) Step {
	return Step{Do: Set, Field: field, Value: fmt.Sprint(value)}
}

// String words s for a Go programmer, who has fields and not commands.
func (s Step) String() string {
	switch s.Do {
	case Set:
		return s.Field + " = " + s.Value
	case Raise:
		return "a larger " + s.Field
	case Lower:
		return "a smaller " + s.Field
	case Change:
		return "another " + s.Field
	case FetchWeights:
		return "fetching trained weights"
	case Extract:
		return "extracting the features"
	case Inspect:
		return "inspecting the run"
	case FindRate:
		return "looking for a learning rate"
	case Resume:
		return "resuming the sweep in " + s.Dir
	case JudgeRows:
		return "judging the run in " + s.Dir + " on a folder of features"
	case TrainRows:
		return "training a head on the features in " + s.Dir
	case NamePart:
		return "naming the sources of train, val and test one by one"
	case Convert:
		return "converting those images to JPEG or PNG"
	case DrawPage:
		return "drawing the page of the run in " + s.Dir
	case Repeat:
		return "repeating the run in " + s.Dir
	}
	return ""
}

// Sentence is text and, after it, the steps that help, each in words.
func Sentence(text string, steps []Step, say func(Step) string) string {
	if len(steps) == 0 {
		return text
	}
	all := make([]string, len(steps))
	for i, s := range steps {
		all[i] = say(s)
	}
	return text + ": try " + words.Or(all)
}

// stepsError is an error and what helps.
type stepsError struct {
	error
	steps []Step
}

func (e *stepsError) Unwrap() error { return e.error }

// WithSteps adds to err what a person can do next. The text of err does not change.
func WithSteps(err error, steps ...Step) error { return &stepsError{err, steps} }

// Steps returns what helps against err; nil if err does not say.
func Steps(err error) []Step {
	var e *stepsError
	if errors.As(err, &e) {
		return e.steps
	}
	return nil
}
