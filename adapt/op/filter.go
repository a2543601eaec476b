package op

import "syncretic/adapt/op/elem"

// filterRows is the number of frames that one task of the first layer works on; filterGradRows that of its gradient.
const (
	filterRows     = 64
	filterGradRows = 512
)

// filter computes a convolution of one channel, MERT's first layer, and writes it to y and act(y) to out: with ten products
// an element a matrix product would spend its time on packing.
func (l *conv) filter(act, y []float32) {
	tin, tout, _, out := l.size()
	x := values(l.x)
	w := make([]float32, l.kernel*out) // [kernel][out]
	for i, v := range values(l.w) {
		w[i%l.kernel*out+i/l.kernel] = v
	}
	blocks := (tout + filterRows - 1) / filterRows
	parallel(l.clips*blocks, l.clips*tout*out*l.kernel, func(i int) {
		clip, row := i/blocks, i%blocks*filterRows
		rows := min(filterRows, tout-row)
		first := (clip*tout + row) * out
		for o := 0; o < out; o += elem.FilterWidth {
			elem.Filter(y[first+o:], out, x[clip*tin+row*l.stride:], l.stride, w[o:], out, l.kernel, rows)
		}
		for at := first; at < first+rows*out; at += out {
			if l.b != nil {
				elem.Add(y[at:at+out], values(l.b))
			}
			l.apply(act[at:at+out], y[at:at+out])
		}
	})
}

// filterGrad adds the gradient of the first layer's weight to dst. Blocks of
// frames are summed by themselves, then in order.
func (l *conv) filterGrad(dst, g []float32) {
	tin, tout, _, out := l.size()
	x := values(l.x)
	blocks := (tout + filterGradRows - 1) / filterGradRows
	size := l.kernel * out
	sums := borrow(l.clips * blocks * size) // [blocks][kernel][out]
	defer sums.release()
	clear(sums.data)
	parallel(l.clips*blocks, l.clips*tout*size, func(i int) {
		clip, row := i/blocks, i%blocks*filterGradRows
		rows := min(filterGradRows, tout-row)
		for o := 0; o < out; o += elem.FilterWidth {
			for k := 0; k < l.kernel; k += elem.FilterTaps {
				elem.FilterGrad(sums.data[i*size+k*out+o:], out, g[(clip*tout+row)*out+o:], out, x[clip*tin+row*l.stride+k:], l.stride, rows)
			}
		}
	})
	total := make([]float32, size)
	elem.SumRows(total, sums.data, l.clips*blocks, size)
	for i, v := range total {
		dst[i%out*l.kernel+i/out] += v
	}
}
