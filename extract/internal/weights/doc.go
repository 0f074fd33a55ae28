// Package weights finds, reads, checks, names, makes, converts and fetches the
// weights of the backbone: torchvision's resnet18 state dict without its head.
//
//	path, err := weights.Find(weights.Search{})  // a file on this machine
//	set, err := weights.Open(path)               // mapped, checked, hashed
//	kernel := set.Tensor("layer1.0.conv1.weight")
//
// A [Set] holds exactly the tensors of [Params], each float32, finite, and of the
// right shape. A file may also hold fc.* (any head) and *.num_batches_tracked;
// they are ignored. A prefix "module." on every name and a {"state_dict": …} or
// {"model": …} around the tensors are taken off.
//
// # Files
//
// A .pth is what torch.save writes since PyTorch 1.6: a zip of stored entries, of
// which data.pkl is a pickle that names the tensors and data/N are their bytes.
// The pickle is walked first: opcodes, lengths and globals outside the short list
// that state dicts need end in [ErrUnsafePickle] or [ErrFormat], before anything
// is built from it. Nothing is ever executed. A .safetensors is 8 bytes of header
// length, a JSON header, and the tensors without gap or overlap. The content
// decides which one a file is, not its name.
//
// A file is mapped, not copied: it must not be shortened or rewritten in place
// while a Set is open (replace it by a rename).
//
// # Hash
//
// [Set.Hash] is the SHA-256 over the tensors of [Params] in bytewise order of
// their names; for each tensor these bytes, integers as little-endian uint32:
//
//	length of name │ name │ rank │ rank × dimension │ values, little-endian float32, row-major
//
// So converting a file, saving it again and giving it a new head leave the hash as it
// is.
package weights
