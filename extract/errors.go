package extract

import (
	"errors"
	"fmt"

	"icebox/extract/internal/imaging"
	"icebox/extract/internal/resnet"
	"icebox/extract/internal/weights"
)

// Errors about weights, returned by Open and the weights functions.
var (
	// ErrNoWeights is returned when "auto" finds no weights on this machine.
	ErrNoWeights = weights.ErrNotFound
	// ErrNoWeightsOfHash is the ErrNoWeights of Options with a WeightsHash.
	ErrNoWeightsOfHash = weights.ErrHashNotFound
	// ErrWeightsVariable is returned when "auto" follows ICEBOX_BACKBONE_WEIGHTS to a
	// file that cannot be read.
	ErrWeightsVariable = weights.ErrVariable
	// ErrWeightsOpen is returned for a named weights file that cannot be opened.
	ErrWeightsOpen = errors.New("weights")
	// ErrWeightsFormat is returned for a file that is no state dict.
	ErrWeightsFormat = weights.ErrFormat
	// ErrUnsafePickle is returned for a .pth that asks for code to be run.
	ErrUnsafePickle = weights.ErrUnsafePickle
	// ErrWeightsMismatch is returned for tensors that are not resnet18's.
	ErrWeightsMismatch = weights.ErrMismatch
	// ErrDownload is returned by FetchWeights when a download did not come to its end.
	ErrDownload = weights.ErrDownload
	// ErrDownloadBroken is the ErrDownload of a connection that broke or stalled: what
	// has arrived is kept, and the next call resumes.
	ErrDownloadBroken = weights.ErrBroken
	// ErrNoNetwork is the ErrDownload of an address to which no connection came about.
	ErrNoNetwork = weights.ErrNoNetwork
	// ErrDownloadRange is the ErrDownload of a server that resumes at the wrong byte.
	// The next download begins anew.
	ErrDownloadRange = weights.ErrRange
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

// MemoryError is the ErrImageTooLarge of an image that needs more bytes than Options.Memory.
type MemoryError = imaging.MemoryError

// ErrEngine is returned when an engine cannot be opened or has failed.
var ErrEngine = errors.New("engine")

// Errors of an engine's Open.
var (
	// ErrEngineUnavailable is returned where the hardware may be there, but this
	// program was built without the engine or a library is missing.
	ErrEngineUnavailable = errors.New("the engine is not available")
	// ErrNoDevice is returned where there is no hardware for the engine.
	ErrNoDevice = errors.New("no device")
)

// ErrISA is returned by the native engine's Open for an instruction set that this
// machine or build lacks.
var ErrISA = resnet.ErrISA

// ErrEnginesDisagree is returned by Gate, as a [DisagreeError], when an engine's
// feature is too far from the reference's.
var ErrEnginesDisagree = errors.New("engines disagree")

// DisagreeError is the ErrEnginesDisagree of Gate, with the facts.
type DisagreeError struct {
	Engine EngineInfo
	Verdict
	Least float64 // the cosine that the numeric class promises
}

func (e *DisagreeError) Error() string {
	return fmt.Sprintf("%v: engine %s (%s, plan %s-%d) against the reference on a test image: cosine %.7f, must be at least %v; largest difference %.3g",
		ErrEnginesDisagree, e.Engine.Name, e.Engine.ISA, e.Engine.Plan, e.Engine.Version, e.Cosine, e.Least, e.MaxAbs)
}

// Is reports whether target is ErrEnginesDisagree.
func (e *DisagreeError) Is(target error) bool { return target == ErrEnginesDisagree }
