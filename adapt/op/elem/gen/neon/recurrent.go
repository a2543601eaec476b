package main

// recurrent emits the kernels of the codec's encoder: ELU, and what an LSTM needs.
func recurrent(p *program) {
	p.function("eluSIMD", func(f *function) {
		dst, x, n, e, zero := f.pointer("dst"), f.pointer("x"), f.pointer("n"), f.exponential(), f.zeros(1)[0]
		f.each(n, 2, []gp{dst, x}, func(v vector) {
			a, b, less, mask := v.load(x), f.pair(), f.pair(), f.pair()
			f.min(b, a, zero)
			power := e.expm1(b)
			f.sub(less, power, e.one)
			f.fma(less, power, b) // 2^n·(e^r−1) + (2^n−1)
			f.signs(mask, a)
			f.choose(mask, less, a)
			v.store(mask, dst)
		})
	})
	p.function("logisticSIMD", func(f *function) {
		x, n := f.pointer("x"), f.pointer("n")
		slope, top, bottom, e := f.spread("slope"), f.spread("top"), f.spread("bottom"), f.exponential()
		limit := f.all(lane{f.constants(-lowest), 0})
		f.each(n, 2, []gp{x}, func(v vector) {
			a, sum := v.load(x), f.pair()
			f.mul(a, a, slope)
			f.min(a, a, limit)
			power := e.expm1(a)
			f.move(sum, power)
			f.fma(sum, power, a) // 2^n·(e^r−1) + 2^n
			f.add(sum, sum, e.one)
			f.div(a, top, sum)
			f.add(a, a, bottom)
			v.store(a, x)
		})
	})
	p.function("dotFourSIMD", dotFour)
}

// dotFour emits a product of four rows of a matrix with a vector.
func dotFour(f *function) {
	const rows, unroll = 4, 2
	w, ld, x, n, out := f.pointer("w"), f.pointer("ld"), f.pointer("x"), f.pointer("n"), f.pointer("out")
	f.emit("LSL $2, %v, %v", ld, ld)
	row := []gp{w}
	for len(row) < rows {
		next := f.gp()
		f.emit("ADD %v, %v, %v", ld, row[len(row)-1], next)
		row = append(row, next)
	}
	acc := f.zeros(rows * unroll)
	f.each(n, unroll, append([]gp{x}, row...), func(v vector) {
		b := v.load(x)
		for r := range rows {
			f.scope(func() { f.fma(acc[r*unroll+v.unit], v.load(row[r]), b) })
		}
	})
	for r := range rows {
		f.add(acc[r*unroll], acc[r*unroll], acc[r*unroll+1])
		f.store(acc[r*unroll], out, 4*lanes*r)
	}
}
