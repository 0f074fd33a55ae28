package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"icebox/cache"
	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/evidence"
	"icebox/pipeline/journal"
	"icebox/pipeline/origin"
	"icebox/pipeline/page"
	"icebox/pipeline/thumbs"
)

// mapsOf returns the maps of evidence of cards, small: those that the album keeps and, where
// they are to be drawn, the others too. What stands in the way of a map, as weights that are
// not on this machine, is told and leaves the page without it.
func (a *album) mapsOf(ctx context.Context, cards []page.Card, head *headtrain.Head, o Options, draw bool, j *journal.Journal) (map[page.Card][]byte, error) {
	if a.store == nil || evidence.Check(head) != nil {
		return nil, nil
	}
	all := map[page.Card][]byte{}
	var missing []page.Card
	for _, card := range cards {
		key, ok := a.mapKey(card, head)
		if !ok {
			continue
		}
		if jpeg := a.store.Get(key); jpeg != nil {
			all[card] = jpeg
		} else {
			missing = append(missing, card)
		}
	}
	if len(missing) == 0 || !draw {
		return all, nil
	}
	m, err := openMapper(ctx, head, o)
	if err != nil {
		if ctx.Err() == nil {
			j.Tell("the page has no maps of evidence: " + err.Error())
		}
		return all, ctx.Err()
	}
	defer m.x.Close()
	images := origin.NewReader(origin.Hold)
	defer images.Close()
	for _, card := range missing {
		jpeg, err := a.mapOf(ctx, images, m, card)
		if errors.Is(err, extract.ErrEngine) || ctx.Err() != nil {
			return all, errors.Join(ctx.Err(), err)
		}
		if err == nil { // else the image is gone, or another by now
			all[card] = jpeg
		}
	}
	return all, nil
}

// mapOf draws what speaks for the class that a card's image was taken for, against its label.
func (a *album) mapOf(ctx context.Context, images *origin.Reader, m *mapper, card page.Card) ([]byte, error) {
	image, err := readItem(ctx, images, a.ds, &a.ds.Items[a.items[card.Path]])
	if err != nil {
		return nil, err
	}
	found, crop, err := m.find(ctx, image, slices.Index(m.head.Classes, card.Other), slices.Index(m.head.Classes, card.Label))
	if err != nil {
		return nil, err
	}
	jpeg, err := thumbs.Picture(found.Over(crop))
	if err != nil {
		return nil, err
	}
	key, _ := a.mapKey(card, m.head)
	a.store.Put(key, jpeg)
	a.opened++
	return jpeg, nil
}

// mapKey is the key of a card's map: the SHA-256 of all that it depends on. It is not ok
// where there can be no map, as for an image that nobody has hashed.
func (a *album) mapKey(card page.Card, head *headtrain.Head) (key cache.Key, ok bool) {
	of, against := slices.Index(head.Classes, card.Other), slices.Index(head.Classes, card.Label)
	i, ok := a.items[card.Path]
	if !ok || of < 0 || against < 0 || of == against || !a.ds.Items[i].Hashed() {
		return key, false
	}
	h := sha256.New()
	h.Write([]byte("map of evidence 1\x00" + head.Fingerprint + "\x00" + head.Input + "\x00"))
	h.Write(a.ds.Items[i].Hash[:])
	for _, c := range []int{of, against} {
		for _, v := range append(slices.Clip(head.W[c*head.Dim:(c+1)*head.Dim]), head.B[c]) {
			var b [4]byte
			binary.LittleEndian.PutUint32(b[:], math.Float32bits(v))
			h.Write(b[:])
		}
	}
	return cache.Key(h.Sum(nil)), true
}
