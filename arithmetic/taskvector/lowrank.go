package taskvector

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"syncretic/arithmetic/svd"
	"syncretic/arithmetic/vec"
	"syncretic/checkpoint"
)

// lowRank adds the parts of one tensor: as two factors where they are smaller than it.
func (e *encoding) lowRank(info checkpoint.Info) error {
	out, n := 1, info.Elements()
	if len(info.Shape) > 1 {
		out = info.Shape[0]
	}
	if n == 0 || float64(e.o.Rank)*float64(out+n/out) >= float64(n) {
		e.dense(info, stored{e.tau, info.Name})
		return nil
	}
	m, err := e.matrix(info.Name, out, n/out)
	if err != nil {
		return err
	}
	t, err := svd.Solver{Interrupt: e.o.Interrupt}.Leading(m, e.o.Rank)
	if err != nil {
		return err
	}
	// Each factor gets the root of the singular values, so that neither leaves the range of F16 alone.
	rank, width := len(t.S), n/out
	left, right := make([]float32, out*rank), make([]float32, rank*width)
	for k, s := range t.S {
		root := math.Sqrt(s)
		for i := range out {
			left[i*rank+k] = float32(root * t.U.At(i, k))
		}
		for j := range width {
			right[k*width+j] = float32(root * t.V.At(j, k))
		}
	}
	e.out.Factored++
	e.add(info.Name, partLeft, e.dtype, []int{out, rank}, numbers(left))
	e.add(info.Name, partRight, e.dtype, slices.Concat([]int{rank}, info.Shape[1:]), numbers(right))
	return nil
}

// matrix reads a tensor as [rows][columns].
func (e *encoding) matrix(name string, rows, columns int) (*mat.Dense, error) {
	data := make([]float64, rows*columns)
	return mat.NewDense(rows, columns, data), each((len(data)+blockElements-1)/blockElements, func(b int, s *scratch) error {
		to := data[b*blockElements : min(len(data), (b+1)*blockElements)]
		block := room(&s.block, len(to))
		if err := e.tau.Read(name, b*blockElements, block); err != nil {
			return err
		}
		for i, x := range block {
			to[i] = float64(x)
		}
		return nil
	})
}

// numbers is a tensor in memory.
type numbers []float32

func (t numbers) read(offset int, dst []float32, _ *scratch) error {
	copy(dst, t[offset:])
	return nil
}

// product is left · right, [rows][width], of left [rows][rank] and right [rank][width]. Each element is summed over the rank in
// order, every operation rounded to float32: it does not depend on the range it is read in.
type product struct {
	src               checkpoint.Source
	left, right       string
	rows, rank, width int
}

// tileElements is about how much of the right factor is in memory.
const tileElements = 1 << 16

func (t product) read(offset int, dst []float32, s *scratch) error {
	clear(dst)
	if len(dst) == 0 || t.rank == 0 {
		return nil
	}
	first, last := offset/t.width, (offset+len(dst)-1)/t.width
	left := room(&s.left, (last-first+1)*t.rank)
	if err := t.src.Read(t.left, first*t.rank, left); err != nil {
		return err
	}
	lo, hi := 0, t.width // the columns that the range has
	if first == last {
		lo = offset - first*t.width
		hi = lo + len(dst)
	}
	tile := max(1, tileElements/t.rank)
	right := room(&s.right, t.rank*min(tile, hi-lo))
	for ; lo < hi; lo += tile {
		n := min(tile, hi-lo)
		for k := range t.rank {
			if err := t.src.Read(t.right, k*t.width+lo, right[k*n:(k+1)*n]); err != nil {
				return err
			}
		}
		for row := first; row <= last; row++ {
			begin := row*t.width - offset // of the row in dst, perhaps before it
			from, to := max(lo, -begin), min(lo+n, len(dst)-begin)
			if from >= to {
				continue
			}
			sum := dst[begin+from : begin+to]
			for k, x := range left[(row-first)*t.rank : (row-first+1)*t.rank] {
				vec.AddScaled(sum, x, right[k*n+from-lo:k*n+to-lo])
			}
		}
	}
	return nil
}

// decodeFactors checks the parts of a low-rank tensor.
func (d *decoding) decodeFactors(parts map[string]checkpoint.Info) ([]int, tensor, error) {
	left, right := parts[partLeft], parts[partRight]
	if len(left.Shape) != 2 || len(right.Shape) < 2 || left.Shape[1] != right.Shape[0] {
		return nil, nil, invalid("left has shape %d and right %d, want [out r] and [r rest...]", left.Shape, right.Shape)
	}
	if err := floats(partLeft, left); err != nil {
		return nil, nil, err
	}
	if err := floats(partRight, right); err != nil {
		return nil, nil, err
	}
	shape := slices.Concat(left.Shape[:1], right.Shape[1:])
	_, ok := elements(shape)
	width, wide := elements(shape[1:])
	if !ok || !wide {
		return nil, nil, invalid("shape %d has too many elements", shape)
	}
	t := product{d.src, left.Name, right.Name, shape[0], left.Shape[1], width}
	if t.rank > min(t.rows, t.width) {
		return nil, nil, invalid("rank %d for a tensor of shape %d, want at most its smaller side", t.rank, shape)
	}
	return shape, t, nil
}
