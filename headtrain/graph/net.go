package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"icebox/headtrain"
)

// net is the graph of a head's loss over batches of one size, with gradients.
type net struct {
	graph  *gorgonia.ExprGraph
	params gorgonia.Nodes // weight (in × out) and bias (1 × out) of each layer
	loss   gorgonia.Value
	logits gorgonia.Value

	// The batch, row by row, which the input nodes read.
	x, target []float32
	keep      []float32 // factors of the hidden units, for dropout; nil for none
}

func newNet(p *headtrain.Plan) (*net, error) {
	n := &net{graph: gorgonia.NewGraph()}
	b := builder{graph: n.graph, rows: p.BatchSize}
	var x *gorgonia.Node
	x, n.x = b.input("x", b.rows, p.Dim)
	b.ones = b.constant("ones", b.rows, 1)
	for i, l := range p.Layers {
		if i > 0 {
			x = b.relu(x)
			if p.Options.Dropout > 0 {
				var keep *gorgonia.Node
				keep, n.keep = b.input("keep", b.rows, l.In)
				x = b.do(gorgonia.HadamardProd(x, keep))
			}
		}
		w, bias := b.layer(i, l)
		n.params = append(n.params, w, bias)
		x = b.do(gorgonia.Add(b.mul(x, w), b.mul(b.ones, bias)))
	}
	target, values := b.input("target", b.rows, p.Classes)
	n.target = values
	loss := b.do(gorgonia.Neg(b.do(gorgonia.Sum(b.do(gorgonia.HadamardProd(target, b.logSoftmax(x, p.Classes)))))))
	gorgonia.Read(x, &n.logits)
	gorgonia.Read(loss, &n.loss)
	_, err := gorgonia.Grad(loss, n.params...)
	return n, err
}

// floatsAligned returns n zeros at a multiple of 16 bytes, where Go places slices of 8
// values or more. The order of summation in gonum's dot product depends on the address
// of its second operand, which here is always a node that holds values. At other
// addresses the same head would come out different now and then.
func floatsAligned(n int) []float32 { return make([]float32, n, max(n, 8)) }

// builder adds nodes to a graph.
type builder struct {
	graph *gorgonia.ExprGraph
	rows  int
	ones  *gorgonia.Node // rows × 1; its product with one row repeats that row
}

// matrix adds a node that holds values.
func (b *builder) matrix(name string, rows, cols int, values []float32) *gorgonia.Node {
	dense := tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(values))
	return gorgonia.NewMatrix(b.graph, tensor.Float32, gorgonia.WithShape(rows, cols), gorgonia.WithName(name), gorgonia.WithValue(dense))
}

// input adds a node that reads the values returned whenever the graph runs.
func (b *builder) input(name string, rows, cols int) (*gorgonia.Node, []float32) {
	values := floatsAligned(rows * cols)
	return b.matrix(name, rows, cols, values), values
}

// constant adds a matrix of ones.
func (b *builder) constant(name string, rows, cols int) *gorgonia.Node {
	node, values := b.input(name, rows, cols)
	for i := range values {
		values[i] = 1
	}
	return node
}

func (b *builder) layer(i int, l headtrain.Layer) (w, bias *gorgonia.Node) {
	values, biases := floatsAligned(len(l.W)), floatsAligned(len(l.B))
	copy(biases, l.B)
	for c := range l.Out {
		for j := range l.In {
			values[j*l.Out+c] = l.W[c*l.In+j]
		}
	}
	w = b.matrix(fmt.Sprintf("fc%d.weight", i+1), l.In, l.Out, values)
	return w, b.matrix(fmt.Sprintf("fc%d.bias", i+1), 1, l.Out, biases)
}

// do returns the node, or panics with the error, which newLearner recovers.
func (b *builder) do(node *gorgonia.Node, err error) *gorgonia.Node {
	if err != nil {
		panic(err)
	}
	return node
}

func (b *builder) mul(x, y *gorgonia.Node) *gorgonia.Node { return b.do(gorgonia.Mul(x, y)) }

// relu is x where x > 0, else 0. As in PyTorch, its gradient at 0 is 0;
// gorgonia.Rectify has 1 there, and shares a node between all graphs.
func (b *builder) relu(x *gorgonia.Node) *gorgonia.Node {
	positive := b.do(gorgonia.Gt(x, gorgonia.NewConstant(float32(0)), true))
	return b.do(gorgonia.HadamardProd(x, positive))
}

// logSoftmax subtracts the maximum of each row before the exponential.
func (b *builder) logSoftmax(z *gorgonia.Node, classes int) *gorgonia.Node {
	column, row := b.constant("column", classes, 1), b.constant("row", 1, classes)
	top := b.do(gorgonia.Reshape(b.do(gorgonia.Max(z, 1)), tensor.Shape{b.rows, 1}))
	z = b.do(gorgonia.Sub(z, b.mul(top, row)))
	sum := b.mul(b.do(gorgonia.Exp(z)), column)
	return b.do(gorgonia.Sub(z, b.mul(b.do(gorgonia.Log(sum)), row)))
}

// load fills in a batch, padded with rows that weigh nothing, and returns the sum of the
// class weights of its rows.
func (n *net) load(p *headtrain.Plan, rows []int32) (weight float64) {
	p.Features(n.x, rows)
	clear(n.x[len(rows)*p.Dim:])
	weight = p.Targets(n.target, rows)
	clear(n.target[len(rows)*p.Classes:])
	if n.keep != nil {
		p.Keep(n.keep)
	}
	return weight
}

// hits counts the rows whose label is the class of the largest logit, the first of
// equals.
func (n *net) hits(p *headtrain.Plan, rows []int32) int {
	logits, ok := n.logits.Data().([]float32)
	if !ok {
		return 0
	}
	hits := 0
	for i, r := range rows {
		best := 0
		row := logits[i*p.Classes : (i+1)*p.Classes]
		for c, v := range row {
			if v > row[best] {
				best = c
			}
		}
		if int32(best) == p.Label(r) {
			hits++
		}
	}
	return hits
}

// layers copies the weights out, as torch.nn.Linear holds them.
func (n *net) layers() ([]headtrain.Layer, error) {
	var layers []headtrain.Layer
	for i := 0; i < len(n.params); i += 2 {
		w, err := floats(n.params[i].Value())
		if err != nil {
			return nil, err
		}
		bias, err := floats(n.params[i+1].Value())
		if err != nil {
			return nil, err
		}
		shape := n.params[i].Shape()
		l := headtrain.Layer{In: shape[0], Out: shape[1], W: make([]float32, len(w)), B: append([]float32(nil), bias...)}
		for c := range l.Out {
			for j := range l.In {
				l.W[c*l.In+j] = w[j*l.Out+c]
			}
		}
		layers = append(layers, l)
	}
	return layers, nil
}

func floats(v gorgonia.Value) ([]float32, error) {
	if values, ok := v.Data().([]float32); ok {
		return values, nil
	}
	return nil, fmt.Errorf("gorgonia: a value of type %T, where float32 values were expected", v.Data())
}

func scalar(v gorgonia.Value) (float32, error) {
	if value, ok := v.Data().(float32); ok {
		return value, nil
	}
	return 0, fmt.Errorf("gorgonia: a loss of type %T, where a float32 was expected", v.Data())
}
