package main

import "math"

// maps emits the kernels that compute each element by itself.
func maps(p *program) {
	p.function("addSIMD", func(f *function) {
		dst, x, n := f.pointer("dst"), f.pointer("x"), f.pointer("n")
		f.each(n, 4, []gp{dst, x}, func(v vector) {
			a, b := v.load(dst), v.load(x)
			f.add(a, a, b)
			v.store(a, dst)
		})
	})
	p.function("addScaledSIMD", func(f *function) {
		dst, x, n, s := f.pointer("dst"), f.pointer("x"), f.pointer("n"), f.spread("s")
		f.each(n, 4, []gp{dst, x}, func(v vector) {
			a, b := v.load(dst), v.load(x)
			f.fma(a, b, s)
			v.store(a, dst)
		})
	})
	p.function("scaleSIMD", func(f *function) {
		x, n, s := f.pointer("x"), f.pointer("n"), f.spread("s")
		f.each(n, 4, []gp{x}, func(v vector) {
			a := v.load(x)
			f.mul(a, a, s)
			v.store(a, x)
		})
	})
	p.function("normaliseSIMD", func(f *function) {
		dst, x, w, b, n := f.pointer("dst"), f.pointer("x"), f.pointer("w"), f.pointer("b"), f.pointer("n")
		mean, scale := f.spread("mean"), f.spread("scale")
		f.each(n, 2, []gp{dst, x, w, b}, func(v vector) {
			a, gain, bias := v.load(x), v.load(w), v.load(b)
			f.sub(a, a, mean)
			f.mul(a, a, scale)
			f.fma(bias, gain, a)
			v.store(bias, dst)
		})
	})
	p.function("normaliseGradSIMD", func(f *function) {
		g, x, n := f.pointer("grad"), f.pointer("x"), f.pointer("n")
		mean, scale, m, q := f.spread("mean"), f.spread("scale"), f.spread("m"), f.spread("q")
		f.each(n, 2, []gp{g, x}, func(v vector) {
			a, d := v.load(x), v.load(g)
			f.sub(a, a, mean)
			f.mul(a, a, scale)
			f.sub(d, d, m)
			f.fms(d, a, q)
			f.mul(d, d, scale)
			v.store(d, g)
		})
	})
}

// reductions emits the kernels that return eight partial results, which the
// caller combines in a fixed order.
func reductions(p *program) {
	const unroll = 4
	p.function("sumSIMD", func(f *function) {
		x, n, out := f.pointer("x"), f.pointer("n"), f.pointer("out")
		acc := f.zeros(unroll)
		f.each(n, unroll, []gp{x}, func(v vector) { f.add(acc[v.unit], acc[v.unit], v.load(x)) })
		fold(acc, f.add)
		f.store(acc[0], out, 0)
	})
	p.function("sumSquaresSIMD", func(f *function) {
		x, n, out, mean := f.pointer("x"), f.pointer("n"), f.pointer("out"), f.spread("mean")
		acc := f.zeros(unroll)
		f.each(n, unroll, []gp{x}, func(v vector) {
			a := v.load(x)
			f.sub(a, a, mean)
			v.keep(a, nil)
			f.fma(acc[v.unit], a, a)
		})
		fold(acc, f.add)
		f.store(acc[0], out, 0)
	})
	p.function("dotSIMD", func(f *function) {
		a, b, n, out := f.pointer("a"), f.pointer("b"), f.pointer("n"), f.pointer("out")
		acc := f.zeros(unroll)
		f.each(n, unroll, []gp{a, b}, func(v vector) { f.fma(acc[v.unit], v.load(a), v.load(b)) })
		fold(acc, f.add)
		f.store(acc[0], out, 0)
	})
	p.function("maxSIMD", func(f *function) {
		x, n, out := f.pointer("x"), f.pointer("n"), f.pointer("out")
		lowest := f.all(lane{f.constants(math.Inf(-1)), 0})
		acc := f.zeros(unroll)
		for _, a := range acc {
			f.move(a, lowest)
		}
		f.each(n, unroll, []gp{x}, func(v vector) {
			a := v.load(x)
			v.keep(a, lowest)
			f.max(acc[v.unit], acc[v.unit], a)
		})
		fold(acc, f.max)
		f.store(acc[0], out, 0)
	})
	p.function("normaliseSumsSIMD", func(f *function) {
		g, w, dw, db := f.pointer("grad"), f.pointer("w"), f.pointer("dw"), f.pointer("db")
		x, n, out := f.pointer("x"), f.pointer("n"), f.pointer("out")
		mean, scale := f.spread("mean"), f.spread("scale")
		acc := f.zeros(4)
		f.each(n, 2, []gp{g, x, w, dw, db}, func(v vector) {
			a, d, p, q := v.load(x), v.load(g), v.load(dw), v.load(db)
			f.sub(a, a, mean)
			f.mul(a, a, scale)
			f.fma(p, d, a)
			v.store(p, dw)
			f.add(q, q, d)
			v.store(q, db)
			f.mul(d, d, v.load(w))
			v.store(d, g)
			f.add(acc[2*v.unit], acc[2*v.unit], d)
			f.fma(acc[2*v.unit+1], d, a)
		})
		f.add(acc[0], acc[0], acc[2])
		f.add(acc[1], acc[1], acc[3])
		f.store(acc[0], out, 0)
		f.store(acc[1], out, 4*lanes)
	})
}
