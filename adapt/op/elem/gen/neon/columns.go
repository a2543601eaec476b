package main

// overRows emits, for every four vectors of columns and then for every one, a loop
// over rows of the matrices at the given pointers, whose rows are ld elements
// apart. What prepare returns adds one row to acc, given the pointers of the row;
// acc begins as dst and goes there in the end.
func (f *function) overRows(dst gp, matrices, vectors []gp, prepare func(v vector) func(acc pair, at []gp)) {
	rows, step, n := f.pointer("rows"), f.pointer("ld"), f.pointer("n")
	f.emit("LSL $2, %v, %v", step, step)
	block := func(vs []vector) {
		accs, bodies := make([]pair, len(vs)), make([]func(pair, []gp), len(vs))
		for i, v := range vs {
			accs[i], bodies[i] = v.load(dst), prepare(v)
		}
		at := make([]gp, len(matrices))
		for i, m := range matrices {
			at[i] = f.gp()
			f.emit("MOVD %v, %v", m, at[i])
		}
		left := f.gp()
		f.emit("MOVD %v, %v", rows, left)
		f.times(left, func() {
			for i, body := range bodies {
				f.scope(func() { body(accs[i], at) })
			}
			for _, p := range at {
				f.emit("ADD %v, %v, %v", step, p, p)
			}
		})
		for i, v := range vs {
			v.store(accs[i], dst)
		}
	}
	const wide = 4
	pointers := append(append([]gp{dst}, matrices...), vectors...)
	f.while(n, lanes*wide, func() {
		f.scope(func() {
			vs := make([]vector, wide)
			for u := range vs {
				vs[u] = vector{f: f, unit: u, byte: 4 * lanes * u}
			}
			block(vs)
		})
		for _, p := range pointers {
			f.emit("ADD $%d, %v, %v", 4*lanes*wide, p, p)
		}
	})
	f.each(n, 1, pointers, func(v vector) { block([]vector{v}) })
}

// columns emits the kernels over matrices whose statistics belong to columns.
func columns(p *program) {
	p.function("sumRowsSIMD", func(f *function) {
		dst, x := f.pointer("dst"), f.pointer("x")
		f.overRows(dst, []gp{x}, nil, func(v vector) func(pair, []gp) {
			return func(acc pair, at []gp) { f.add(acc, acc, v.load(at[0])) }
		})
	})
	p.function("squareRowsSIMD", func(f *function) {
		dst, x, mean := f.pointer("dst"), f.pointer("x"), f.pointer("mean")
		f.overRows(dst, []gp{x}, []gp{mean}, func(v vector) func(pair, []gp) {
			m := v.load(mean)
			return func(acc pair, at []gp) {
				a := v.load(at[0])
				f.sub(a, a, m)
				f.fma(acc, a, a)
			}
		})
	})
	p.function("dotRowsSIMD", func(f *function) {
		dst, g, x, mean := f.pointer("dst"), f.pointer("grad"), f.pointer("x"), f.pointer("mean")
		f.overRows(dst, []gp{g, x}, []gp{mean}, func(v vector) func(pair, []gp) {
			m := v.load(mean)
			return func(acc pair, at []gp) {
				a := v.load(at[1])
				f.sub(a, a, m)
				f.fma(acc, v.load(at[0]), a)
			}
		})
	})
	p.function("normaliseColumnsSIMD", func(f *function) {
		dst, x, mean, gain, b, n := f.pointer("dst"), f.pointer("x"), f.pointer("mean"), f.pointer("gain"), f.pointer("b"), f.pointer("n")
		f.each(n, 2, []gp{dst, x, mean, gain, b}, func(v vector) {
			a, k, bias := v.load(x), v.load(gain), v.load(b)
			f.sub(a, a, v.load(mean))
			f.fma(bias, k, a)
			v.store(bias, dst)
		})
	})
	p.function("normaliseColumnsGradSIMD", func(f *function) {
		g, x, mean, gain := f.pointer("grad"), f.pointer("x"), f.pointer("mean"), f.pointer("gain")
		m, q, n := f.pointer("m"), f.pointer("q"), f.pointer("n")
		f.each(n, 2, []gp{g, x, mean, gain, m, q}, func(v vector) {
			a, d := v.load(x), v.load(g)
			f.sub(a, a, v.load(mean))
			f.sub(d, d, v.load(m))
			f.fms(d, a, v.load(q))
			f.mul(d, d, v.load(gain))
			v.store(d, g)
		})
	})
}
