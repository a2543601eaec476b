package main

// Coefficients as in ../../math.go, which says where they come from.
var (
	expCoefficients  = []float64{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1}
	tailCoefficients = []float64{
		-0.07673482596874237, 0.2814570367336273, -0.258281409740448, 0.27688971161842346,
		-0.014321566559374332, 0.11072362959384918, 0.08829514682292938, 0.09197228401899338}
)

const (
	tailScale  = 0.23000000417232513
	lowest     = -87
	log2e      = 1.44269504088896341
	ln2High    = 0.693359375
	ln2Low     = -2.12194440e-4
	roundMagic = 12582912 // 1.5·2^23: adding it rounds to an integer
	density    = 0.3989422804014327
)

// exponential holds the constants of e^x in registers: as lanes where an
// instruction takes one, in all lanes where none does.
type exponential struct {
	f                       *function
	log2e, ln2High, ln2Low  lane
	coefficients            []lane
	lowest, roundMagic, one reg
}

// exponential loads the constants.
func (f *function) exponential() exponential {
	a := f.constants(log2e, ln2High, ln2Low, lowest)
	b := f.constants(expCoefficients[:4]...)
	c := f.constants(expCoefficients[4], expCoefficients[5], roundMagic, 1)
	return exponential{f, lane{a, 0}, lane{a, 1}, lane{a, 2}, append(lanesOf(b, 4), lanesOf(c, 2)...),
		f.all(lane{a, 3}), f.all(lane{c, 2}), f.all(lane{c, 3})}
}

// lanesOf returns the first n lanes of a register.
func lanesOf(v reg, n int) []lane {
	ls := make([]lane, n)
	for i := range ls {
		ls[i] = lane{v, i}
	}
	return ls
}

// polynomial returns Σ c_k·x^k, the coefficients from the highest power down.
func (f *function) polynomial(coefficients []lane, x pair) pair {
	y, next := f.pair(), f.pair()
	f.spreadPair(y, coefficients[0])
	for _, c := range coefficients[1:] {
		f.spreadPair(next, c)
		f.fma(next, y, x)
		y, next = next, y
	}
	return y
}

// exp replaces x, at most 88, by e^x; below lowest it is 0.
func (e exponential) exp(x pair) {
	f := e.f
	f.scope(func() {
		small, sum := f.pair(), f.pair()
		f.greater(small, e.lowest, x)
		power := e.expm1(x)
		f.move(sum, power)
		f.fma(sum, power, x) // 2^n·(e^r−1) + 2^n
		f.without(x, sum, small)
	})
}

// expm1 returns 2^n and replaces x, at most 88, by e^r − 1, where e^x = 2^n·e^r;
// for x below lowest they are those of lowest.
func (e exponential) expm1(x pair) (power pair) {
	f := e.f
	power = f.pair()
	f.max(x, x, e.lowest)
	f.move(power, e.roundMagic)
	f.fma(power, x, e.log2e)
	f.scope(func() {
		t := f.pair()
		f.sub(t, power, e.roundMagic)
		f.fms(x, t, e.ln2High)
		f.fms(x, t, e.ln2Low)
		y := f.polynomial(e.coefficients, x)
		f.mul(t, x, x)
		f.fma(x, t, y)
	})
	f.exponent(power, power)
	f.addIntegers(power, power, e.one)
	return power
}

// distribution holds the constants of the normal distribution.
type distribution struct {
	exponential
	half, scale, density lane
	tail                 []lane
}

// distribution loads the constants.
func (f *function) distribution() distribution {
	e := f.exponential()
	a, b, c := f.constants(-0.5, tailScale, density), f.constants(tailCoefficients[:4]...), f.constants(tailCoefficients[4:]...)
	return distribution{e, lane{a, 0}, lane{a, 1}, lane{a, 2}, append(lanesOf(b, 4), lanesOf(c, 4)...)}
}

// parts returns Φ(x) and e^(-x²/2).
func (d distribution) parts(x pair) (cdf, e pair) {
	f := d.f
	cdf, e = f.pair(), f.pair()
	f.mul(e, x, d.half)
	f.mul(e, e, x)
	d.exp(e)
	f.scope(func() {
		t, u := f.pair(), f.pair()
		f.abs(u, x)
		f.move(t, d.one)
		f.fma(t, u, d.scale)
		f.div(t, d.one, t)
		y := f.polynomial(d.tail, t)
		f.mul(y, y, t)
		f.mul(y, y, e)
		f.sub(t, d.one, y)
		f.signs(cdf, x)
		f.choose(cdf, y, t)
	})
	return cdf, e
}

// normal emits the kernels on the normal distribution.
func normal(p *program) {
	p.function("geluSIMD", func(f *function) {
		dst, x, n, d := f.pointer("dst"), f.pointer("x"), f.pointer("n"), f.distribution()
		f.each(n, 1, []gp{dst, x}, func(v vector) {
			a := v.load(x)
			cdf, _ := d.parts(a)
			f.mul(a, a, cdf)
			v.store(a, dst)
		})
	})
	p.function("geluGradSIMD", func(f *function) {
		g, x, n, d := f.pointer("grad"), f.pointer("x"), f.pointer("n"), f.distribution()
		f.each(n, 1, []gp{g, x}, func(v vector) {
			a := v.load(x)
			cdf, e := d.parts(a)
			f.mul(e, e, d.density)
			f.fma(cdf, a, e)
			b := v.load(g)
			f.mul(b, b, cdf)
			v.store(b, g)
		})
	})
}

// softmax emits the kernels of softmax and its gradient.
func softmax(p *program) {
	p.function("expSumSIMD", func(f *function) {
		x, n, out, top, scale := f.pointer("x"), f.pointer("n"), f.pointer("out"), f.spread("top"), f.spread("scale")
		e, acc := f.exponential(), f.zeros(1)[0]
		f.each(n, 1, []gp{x}, func(v vector) {
			a := v.load(x)
			f.sub(a, a, top)
			f.mul(a, a, scale)
			e.exp(a)
			v.store(a, x)
			v.keep(a, nil)
			f.add(acc, acc, a)
		})
		f.store(acc, out, 0)
	})
	p.function("softmaxGradSIMD", func(f *function) {
		d, p, n, m, scale := f.pointer("d"), f.pointer("p"), f.pointer("n"), f.spread("m"), f.spread("scale")
		f.each(n, 4, []gp{d, p}, func(v vector) {
			a, b := v.load(d), v.load(p)
			f.sub(a, a, m)
			f.mul(a, a, b)
			f.mul(a, a, scale)
			v.store(a, d)
		})
	})
}
