package resnet

// Forward writes count features (count × Dim) for count images (count × PixelBytes). It
// allocates nothing, and a feature does not depend on the other images.
func (n *Net) Forward(ws *Workspace, features []float32, pixels []uint8, count int) {
	ws.clock.start()
	for lo := 0; lo < count; lo += group {
		images := min(group, count-lo)
		n.convolutions(ws, pixels[lo*PixelBytes:], images)
		average(features[lo*Dim:][:images*Dim], ws.x[3])
		ws.clock.lap(len(n.layers) - 1)
	}
}

// Grid writes, for count images, what Forward averages (count × GridLen). Their mean over
// the cells, summed in the order of the grid, is the feature bit by bit.
func (n *Net) Grid(ws *Workspace, cells []float32, pixels []uint8, count int) {
	for lo := 0; lo < count; lo += group {
		images := min(group, count-lo)
		n.convolutions(ws, pixels[lo*PixelBytes:], images)
		gather(cells[lo*GridLen:][:images*GridLen], ws.x[3])
	}
}

// convolutions takes a group of images through all layers but the average.
func (n *Net) convolutions(ws *Workspace, pixels []uint8, images int) {
	for i := range images {
		n.early(ws, pixels[i*PixelBytes:][:PixelBytes], i)
	}
	for i := range n.blocks[earlyBlocks:] {
		n.block(ws, earlyBlocks+i, images)
	}
}

// early takes an image through the stem, layer 1 and layer 2, to place i of the
// group.
func (n *Net) early(ws *Workspace, pixels []uint8, i int) {
	all := ws.x[1]
	ws.x[1] = all.image(i)
	n.stem.run(n.isa, ws, ws.x[0], pixels, 0, stemTiles)
	ws.clock.lap(0)
	for b := range earlyBlocks {
		n.block(ws, b, 1)
	}
	ws.x[1] = all
}

// block runs block b: x = max(conv2(conv1(x)) + down(x), 0).
func (n *Net) block(ws *Workspace, b, images int) {
	k := &n.blocks[b]
	x, y := ws.x[k.stage], ws.y[k.stage]
	from := x
	if k.down != nil {
		from = ws.x[k.stage-1]
		k.down.run(n.isa, ws, from, x, images, 0, k.down.side)
		ws.clock.lap(k.layer + 2)
	}
	k.conv1.run(n.isa, ws, from, y, images, false)
	ws.clock.lap(k.layer)
	k.conv2.run(n.isa, ws, y, x, images, true)
	ws.clock.lap(k.layer + 1)
}

// average writes the mean over the pixels of each image.
func average(features []float32, x grid) {
	side := stageShapes[3].side
	for i := 0; i < len(features)/Dim; i++ {
		f := features[i*Dim:][:Dim]
		clear(f)
		for y := range side {
			for p := range side {
				for c, v := range x.from(i, 1+y, 1+p)[:Dim] {
					f[c] += v
				}
			}
		}
		for c := range f {
			f[c] /= float32(side * side)
		}
	}
}

// gather copies the pixels of each image, without their border.
func gather(cells []float32, x grid) {
	for i := range len(cells) / GridLen {
		for y := range GridSide {
			row := cells[(i*GridSide+y)*GridSide*Dim:][:GridSide*Dim]
			copy(row, x.from(i, 1+y, 1))
		}
	}
}
