package journal

// Progress hears how far a run is. Its methods may be called from many
// goroutines; they must not block for long. Drawing it is the caller's business.
type Progress interface {
	// Start begins a stage of total steps (0: unknown) and ends the one before.
	Start(stage string, total int)
	// Add counts steps of the stage as done.
	Add(n int)
	// Status is a short text on the state of the stage, in place of the one before.
	Status(text string)
	// Note is a remark for a person, one line.
	Note(message string)
}

// Silent is a Progress that nobody hears.
var Silent Progress = silent{}

type silent struct{}

func (silent) Start(string, int) {}
func (silent) Add(int)           {}
func (silent) Status(string)     {}
func (silent) Note(string)       {}
