package dataset

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"

	"icebox/cache"
)

// A dataset is one document of the cache, "dataset/<name>":
//
//	byte       the version: 1, or 2 where the head has a reading, or 3 where there are
//	           several sources or stored ones, or 4 where a root is an archive
//	uvarint    length of the head, then the head: JSON (sources, roots, classes, split;
//	           from version 2 on also reading; in version 4 a root may have kind and index)
//	32 × n     content hashes
//	rest       the items, deflated; an item is
//	             uvarint  bytes of the path shared with the item before
//	             string   the rest of the path (uvarint length, bytes)
//	             uvarint  root
//	             varint   label
//	             byte     part, +0x80 if assigned
//	             string   group
//	             varint   size, mtime, ctime and inode, each minus the item's before
//	             varint   in version 4: offset, minus the item's before
//
// The cache checksums a document; the numbers here are bounded all the same, so
// that a foreign document is an error and not a panic.
//
// Version 1 knows no reading. A dataset that was read as sources are by themselves is
// written in it to this day, so that an older icebox opens what it can understand.
const (
	plainVersion    = 1
	readingVersion  = 2
	sourcesVersion  = 3
	archiveVersion  = 4
	documentVersion = archiveVersion // the newest
)

// Purpose is what a dataset is kept for. It begins the name of the dataset's document.
type Purpose string

// The purposes. Nobody trains on a dataset that only an evaluation looked at, or on a pool
// of images that a head only answered for.
const (
	ForTraining   Purpose = "dataset/"
	ForEvaluation Purpose = "eval/"
	ForPrediction Purpose = "pool/"
)

// Purposes are all of them.
var Purposes = []Purpose{ForTraining, ForEvaluation, ForPrediction}

// Docs are the documents of a cache.
type Docs interface {
	Doc(name string) ([]byte, error) // cache.ErrNoDoc if there is none
	Docs(prefix string) []string     // names
}

type documentHead struct {
	Sources Sources  `json:"sources"`
	Roots   []Root   `json:"roots"`
	Classes []string `json:"classes"`
	Split   Split    `json:"split"`
	Items   int      `json:"items"`
	Reading Reading  `json:"reading,omitzero"`
}

const assignedBit = 0x80

// maxItemBytes bounds an item's line, and maxText each text in it and in the head: paths
// are shorter on every system.
const (
	maxItemBytes = 64 << 10
	maxText      = 16 << 10
)

// checkTexts refuses what would make a document that Decode does not take.
func (d *Dataset) checkTexts() error {
	for i := range d.Items {
		it := &d.Items[i]
		if len(it.Path) > maxText || len(it.Group) > maxText {
			return fmt.Errorf("%w: image %d (%.80q…) has a path of %d bytes and a group of %d; %d are the limit of either", ErrData, i, it.Path, len(it.Path), len(it.Group), maxText)
		}
	}
	texts := slices.Concat(d.Classes, d.Sources.Also, []string{d.Sources.Train, d.Sources.Val, d.Sources.Test})
	for _, r := range d.Roots {
		texts = append(texts, r.Dir, r.Prefix)
	}
	for _, text := range texts { // those of the head, which is JSON
		if !utf8.ValidString(text) {
			return fmt.Errorf("%w: the name %.80q is not UTF-8: rename it", ErrData, text)
		}
	}
	for _, c := range d.Classes {
		if len(c) > maxText {
			return fmt.Errorf("%w: the class %.80q… has a name of %d bytes; %d are the limit", ErrData, c, len(c), maxText)
		}
	}
	return nil
}

// Encode returns the document of d, which [Decode] takes: names that are too long for it
// are an [ErrData]. Labels are those that were given; corrections and kept pictures are kept
// elsewhere.
func (d *Dataset) Encode() (doc []byte, err error) {
	err = d.AsGiven(func() error {
		doc, err = d.withoutKept().encode()
		return err
	})
	return doc, err
}

func (d *Dataset) encode() ([]byte, error) {
	if err := d.checkTexts(); err != nil {
		return nil, err
	}
	head, err := json.Marshal(documentHead{d.Sources, d.Roots, d.Classes, d.Split, len(d.Items), d.Reading})
	if err != nil {
		return nil, err
	}
	version := d.version()
	doc := []byte{version}
	doc = binary.AppendUvarint(doc, uint64(len(head)))
	doc = append(doc, head...)
	return appendItems(doc, d.Items, version)
}

// appendItems adds items as a document of a version has them: their hashes, and the rest
// deflated.
func appendItems(doc []byte, items []Item, version byte) ([]byte, error) {
	for i := range items {
		doc = append(doc, items[i].Hash[:]...)
	}
	out := bytes.NewBuffer(doc)
	z, err := flate.NewWriter(out, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	var before Item
	var line []byte
	for i := range items {
		it := &items[i]
		line = it.append(line[:0], &before)
		if version >= archiveVersion {
			line = binary.AppendVarint(line, it.Offset-before.Offset)
		}
		if _, err := z.Write(line); err != nil {
			return nil, err
		}
		before = *it
	}
	err = z.Close()
	return out.Bytes(), err
}

// version is the least that says all of d.
func (d *Dataset) version() byte {
	_, stored := storedName(d.Sources.Train)
	switch {
	case slices.ContainsFunc(d.Roots, func(r Root) bool { return r.Kind != "" }):
		return archiveVersion
	case stored || len(d.Sources.Also) > 0:
		return sourcesVersion
	case !d.Reading.IsZero():
		return readingVersion
	}
	return plainVersion
}

func (it *Item) append(b []byte, before *Item) []byte {
	same := sharedPrefix(before.Path, it.Path)
	b = binary.AppendUvarint(b, uint64(same))
	b = appendString(b, it.Path[same:])
	b = binary.AppendUvarint(b, uint64(it.Root))
	b = binary.AppendVarint(b, int64(it.Label))
	part := byte(it.Part)
	if it.Assigned {
		part |= assignedBit
	}
	b = append(b, part)
	b = appendString(b, it.Group)
	b = binary.AppendVarint(b, it.Stat.Size-before.Stat.Size)
	b = binary.AppendVarint(b, it.Stat.MTime-before.Stat.MTime)
	b = binary.AppendVarint(b, it.Stat.CTime-before.Stat.CTime)
	return binary.AppendVarint(b, int64(it.Stat.Inode-before.Stat.Inode))
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func sharedPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// ErrDocument is returned for a document that Encode did not write, or not this version of
// it: the cache is sound, and one dataset in it is not.
var ErrDocument = errors.New("malformed dataset document")

// Decode reads what Encode wrote.
func Decode(name string, doc []byte) (*Dataset, error) {
	if v := first(doc); v < plainVersion || v > documentVersion {
		return nil, fmt.Errorf("dataset %q: %w of version %d: this icebox reads versions %d to %d", name, cache.ErrNewer, v, plainVersion, documentVersion)
	}
	size, n := binary.Uvarint(doc[1:])
	rest := doc[1+max(n, 0):]
	if n <= 0 || size > uint64(len(rest)) {
		return nil, ErrDocument
	}
	var head documentHead
	if err := json.Unmarshal(rest[:size], &head); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	rest = rest[size:]
	if head.Items < 0 || head.Items > len(rest)/len(cache.Key{}) {
		return nil, ErrDocument
	}
	d := &Dataset{Name: name, Sources: head.Sources, Roots: head.Roots, Classes: head.Classes, Split: head.Split, Reading: head.Reading, Items: make([]Item, head.Items)}
	if err := d.readItems(d.Items, rest, doc[0]); err != nil {
		return nil, err
	}
	return d, nil
}

// readItems fills items with what appendItems wrote.
func (d *Dataset) readItems(items []Item, rest []byte, version byte) error {
	for i := range items {
		rest = rest[copy(items[i].Hash[:], rest):]
	}
	var lines bytes.Buffer
	lines.Grow(2 * len(rest))
	if _, err := lines.ReadFrom(io.LimitReader(flate.NewReader(bytes.NewReader(rest)), maxItemBytes*int64(len(items)))); err != nil {
		return fmt.Errorf("%w: %w", ErrDocument, err)
	}
	r := &docReader{rest: lines.Bytes(), offsets: version >= archiveVersion}
	var before Item
	for i := range items {
		it := &items[i]
		r.item(it, &before)
		if r.bad || it.Root >= len(d.Roots) || int(it.Label) >= len(d.Classes) || it.Label < Unlabelled || it.Part > Test {
			return fmt.Errorf("%w: item %d", ErrDocument, i)
		}
		before = *it
	}
	return nil
}

func first(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	return int(b[0])
}

// docReader takes values off rest and turns bad when one is not there.
type docReader struct {
	rest    []byte
	offsets bool // items have them
	bad     bool
	texts   texts
}

func (r *docReader) item(it, before *Item) {
	same := r.uvarint(uint64(len(before.Path)))
	it.Path = r.texts.join(before.Path[:same], r.text())
	it.Root = int(r.uvarint(1 << 20))
	label := r.varint()
	it.Label = int32(label)
	r.bad = r.bad || int64(it.Label) != label
	part := r.byte()
	it.Part, it.Assigned = Part(part&^assignedBit), part&assignedBit != 0
	if group := r.text(); string(group) == before.Group {
		it.Group = before.Group
	} else {
		it.Group = string(group)
	}
	it.Stat.Size = before.Stat.Size + r.varint()
	it.Stat.MTime = before.Stat.MTime + r.varint()
	it.Stat.CTime = before.Stat.CTime + r.varint()
	it.Stat.Inode = before.Stat.Inode + uint64(r.varint())
	if r.offsets {
		it.Offset = before.Offset + r.varint()
	}
}

func (r *docReader) uvarint(most uint64) uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > most {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *docReader) varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *docReader) byte() byte {
	if len(r.rest) == 0 {
		r.bad = true
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

// text is a part of rest.
func (r *docReader) text() []byte {
	n := r.uvarint(uint64(len(r.rest)))
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

// texts makes many short strings, which lie together: a string of its own for each of millions
// of paths takes more time and memory.
type texts struct{ room []byte }

// join returns a and b as one string.
func (t *texts) join(a string, b []byte) string {
	n := len(a) + len(b)
	if n == 0 {
		return ""
	}
	if cap(t.room)-len(t.room) < n {
		t.room = make([]byte, 0, max(n, 64<<10))
	}
	at := len(t.room)
	t.room = append(append(t.room, a...), b...) // there is room: what was handed out stays where it is
	return unsafe.String(&t.room[at], n)
}

// Document is the name of d's document.
func (d *Dataset) Document(p Purpose) string { return string(p) + d.Name }

// Load reads a dataset; cache.ErrNoDoc if there is none of that name.
func Load(docs Docs, p Purpose, name string) (*Dataset, error) {
	doc, err := docs.Doc(string(p) + name)
	if err != nil {
		return nil, err
	}
	d, err := Decode(name, doc)
	if errors.Is(err, ErrDocument) {
		return nil, fmt.Errorf("%w: dataset %q: %w", cache.ErrCorrupt, name, err)
	}
	if err != nil {
		return nil, err
	}
	d.loaded = string(p) + name
	return d, nil
}

// Names lists the datasets that are kept.
func Names(docs Docs, p Purpose) []string {
	names := docs.Docs(string(p))
	for i, n := range names {
		names[i] = strings.TrimPrefix(n, string(p))
	}
	return names
}
