package extract

import (
	"errors"

	"icebox/extract/internal/imaging"
	"icebox/extract/internal/weights"
)

// Errors about weights, returned by Open and the weights functions.
var (
	// ErrNoWeights is returned when "auto" finds no weights on this machine.
	ErrNoWeights = weights.ErrNotFound
	// ErrWeightsOpen is returned for a named weights file that cannot be opened.
	ErrWeightsOpen = errors.New("weights")
	// ErrWeightsFormat is returned for a file that is no state dict.
	ErrWeightsFormat = weights.ErrFormat
	// ErrUnsafePickle is returned for a .pth that asks for code to be run.
	ErrUnsafePickle = weights.ErrUnsafePickle
	// ErrWeightsMismatch is returned for tensors that are not resnet18's.
	ErrWeightsMismatch = weights.ErrMismatch
	// ErrDownload is returned by FetchWeights when a download broke off; what has
	// arrived is kept, and the next call resumes.
	ErrDownload = weights.ErrDownload
	// ErrChecksum is returned by FetchWeights for a file that is not the right one.
	ErrChecksum = weights.ErrChecksum
)

// Errors about one image, returned in Extract's errs.
var (
	ErrImageEmpty       = imaging.ErrEmpty
	ErrImageFormat      = imaging.ErrFormat
	ErrImageTruncated   = imaging.ErrTruncated
	ErrImageTooLarge    = imaging.ErrTooLarge
	ErrImageUnsupported = imaging.ErrUnsupported
)

// ErrEngine is returned when an engine cannot be opened or has failed.
var ErrEngine = errors.New("engine")

// Errors of an engine's Open.
var (
	// ErrEngineUnavailable is returned where the hardware may be there, but the
	// program or a library lacks something.
	ErrEngineUnavailable = errors.New("the engine is not available")
	// ErrNoDevice is returned where there is no hardware for the engine.
	ErrNoDevice = errors.New("no device")
)

// ErrEnginesDisagree is returned by Gate when an engine's feature is too far
// from the reference's.
var ErrEnginesDisagree = errors.New("engines disagree")
