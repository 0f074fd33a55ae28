// Package tune chooses the options of a head: it trains candidates on some rows, judges
// them on others, and takes the one whose mean cross-entropy there is the least,
// once its logits are scaled as calibration would scale them.
//
// [Candidates] says which options are worth trying, and [Search.Run] tries them.
package tune
