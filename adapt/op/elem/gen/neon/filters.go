package main

// filters emits the convolution of one channel with sixteen filters and the
// gradient of the filters.
func filters(p *program) {
	p.function("filterSIMD", filter)
	p.function("filterGradSIMD", filterGrad)
}

func filter(f *function) {
	const height = 4 // rows at a time, then one
	y, ldy, x, stride := f.pointer("y"), f.pointer("ldy"), f.pointer("x"), f.pointer("stride")
	w, ldw, taps, rows := f.pointer("w"), f.pointer("ldw"), f.pointer("taps"), f.pointer("rows")
	for _, p := range []gp{ldy, stride, ldw} {
		f.emit("LSL $2, %v, %v", p, p)
	}
	block := func(h int) {
		acc := f.zeros(2 * h)
		at, left := f.gp(), f.gp()
		f.emit("MOVD %v, %v", w, at)
		f.emit("MOVD %v, %v", taps, left)
		xs := make([]gp, h)
		for i := range xs {
			xs[i] = f.gp()
			if i == 0 {
				f.emit("MOVD %v, %v", x, xs[i])
			} else {
				f.emit("ADD %v, %v, %v", stride, xs[i-1], xs[i])
			}
		}
		f.times(left, func() {
			f.scope(func() {
				w0, w1, v := f.pair(), f.pair(), f.reg()
				f.load(w0, at, 0)
				f.load(w1, at, 4*lanes)
				for i, p := range xs {
					f.emit("FMOVS.P 4(%v), %s", p, v.scalar())
					f.fma(acc[2*i], w0, lane{v, 0})
					f.fma(acc[2*i+1], w1, lane{v, 0})
				}
				f.emit("ADD %v, %v, %v", ldw, at, at)
			})
		})
		for i := range h {
			f.store(acc[2*i], y, 0)
			f.store(acc[2*i+1], y, 4*lanes)
			f.emit("ADD %v, %v, %v", ldy, y, y)
			f.emit("ADD %v, %v, %v", stride, x, x)
		}
	}
	for _, h := range []int{height, 1} {
		f.while(rows, h, func() { f.scope(func() { block(h) }) })
	}
}

func filterGrad(f *function) {
	const taps = 5
	dw, ldw, g, ldg := f.pointer("dw"), f.pointer("ldw"), f.pointer("grad"), f.pointer("ldg")
	x, stride, rows := f.pointer("x"), f.pointer("stride"), f.pointer("rows")
	for _, p := range []gp{ldw, ldg, stride} {
		f.emit("LSL $2, %v, %v", p, p)
	}
	acc := f.zeros(2 * taps)
	f.times(rows, func() {
		f.scope(func() {
			g0, g1, v := f.pair(), f.pair(), f.reg()
			f.load(g0, g, 0)
			f.load(g1, g, 4*lanes)
			for k := range taps {
				f.emit("FMOVS %d(%v), %s", 4*k, x, v.scalar())
				f.fma(acc[2*k], g0, lane{v, 0})
				f.fma(acc[2*k+1], g1, lane{v, 0})
			}
			f.emit("ADD %v, %v, %v", ldg, g, g)
			f.emit("ADD %v, %v, %v", stride, x, x)
		})
	})
	old := f.pair()
	for k := range taps {
		for i := range 2 {
			f.load(old, dw, 4*lanes*i)
			f.add(old, old, acc[2*k+i])
			f.store(old, dw, 4*lanes*i)
		}
		f.emit("ADD %v, %v, %v", ldw, dw, dw)
	}
}
