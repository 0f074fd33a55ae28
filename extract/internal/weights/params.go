package weights

import "fmt"

// Param is the name and shape of one tensor of the backbone.
type Param struct {
	Name  string
	Shape []int
}

// stages are the four groups of residual blocks; the first block of every stage
// but the first halves the size and has a projection on its shortcut.
var stages = [...]struct{ channels, blocks int }{{64, 2}, {128, 2}, {256, 2}, {512, 2}}

// Params lists the backbone's tensors as torchvision names, shapes and orders
// them: a convolution's weight, then its batch norm's four vectors.
func Params() []Param {
	var p paramList
	p.convNorm("conv1", "bn1", []int{64, 3, 7, 7})
	in := stages[0].channels
	for i, stage := range stages {
		out := stage.channels
		for j := range stage.blocks {
			block := fmt.Sprintf("layer%d.%d.", i+1, j)
			p.convNorm(block+"conv1", block+"bn1", []int{out, in, 3, 3})
			p.convNorm(block+"conv2", block+"bn2", []int{out, out, 3, 3})
			if in != out {
				p.convNorm(block+"downsample.0", block+"downsample.1", []int{out, in, 1, 1})
			}
			in = out
		}
	}
	return p
}

type paramList []Param

func (p *paramList) convNorm(conv, norm string, kernel []int) {
	*p = append(*p, Param{conv + ".weight", kernel})
	for _, vector := range [...]string{".weight", ".bias", ".running_mean", ".running_var"} {
		*p = append(*p, Param{norm + vector, kernel[:1:1]})
	}
}
