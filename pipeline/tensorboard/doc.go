// Package tensorboard writes the event files that TensorBoard draws curves from.
//
// A file is records, each an Event, a protocol buffer that is written field by field:
//
//	length n   8 bytes, little endian
//	CRC-32C    4 bytes, of the length, masked
//	Event      n bytes
//	CRC-32C    4 bytes, of the Event, masked
//
// The first Event names the version of the form.
package tensorboard
