package jpeg

import "icebox/extract/internal/isa"

// native is the fastest instruction set that this machine runs. All of them give the
// same bytes.
var native = isa.Best(available())
