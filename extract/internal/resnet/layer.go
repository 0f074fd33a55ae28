package resnet

import "icebox/extract/internal/kernel"

// Layer is a part of the network that Profile times.
type Layer struct {
	Name      string
	Algorithm string
	Direct    int64 // multiplications of a plain convolution of one image
	Done      int64 // multiplications that the algorithm does instead
}

// Layers lists the layers as a profile does.
func (n *Net) Layers() []Layer { return n.layers }

// list fills in the layers, and where each block's begin.
func (n *Net) list() {
	n.layers = []Layer{{
		Name: "stem", Algorithm: kernel.F44.String() + " /2, max-pool",
		Direct: stemSide * stemSide * stemOutputs * stemTaps * stemTaps * 3,
		Done:   int64(kernel.F44.Planes()) * stemTiles * stemTiles * stemInputs * stemOutputs,
	}}
	for i := range n.blocks {
		b := &n.blocks[i]
		b.layer = len(n.layers)
		name := blockShapes[i].name
		n.layers = append(n.layers, b.conv1.layer(name+".conv1"), b.conv2.layer(name+".conv2"))
		if d := b.down; d != nil {
			products := int64(d.side * d.side * d.in * d.out)
			n.layers = append(n.layers, Layer{name + ".downsample", kernel.F11S2.String() + d.weights.element.suffix(), products, products})
		}
	}
	n.layers = append(n.layers, Layer{Name: "average", Algorithm: "sum"})
}

// suffix says in a list of layers what the weights are.
func (e element) suffix() string { return [...]string{float: "", half: ", half", bf16: ", bf16"}[e] }

func (c *conv) layer(name string) Layer {
	slots := 0
	for p := range c.scheme.Planes() {
		slots += c.scheme.Slots(p)
	}
	l := Layer{
		Name: name, Algorithm: c.scheme.String(), Direct: int64(c.side * c.side * c.in * c.out * 9),
		Done: int64(slots * c.across() * c.across() * c.in * c.out),
	}
	l.Algorithm += c.weights.element.suffix()
	return l
}
