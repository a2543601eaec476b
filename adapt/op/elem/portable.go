package elem

// The portable versions, named as the functions that choose, with Go behind. Sums are
// collected in float64.

func geluGo(dst, x []float32) {
	for i, v := range x {
		cdf, _ := normal(v)
		dst[i] = v * cdf
	}
}

func geluGradGo(g, x []float32) {
	for i, v := range x {
		cdf, pdf := normal(v)
		g[i] *= cdf + v*pdf
	}
}

func largestGo(x []float32) float32 {
	top := x[0]
	for _, v := range x {
		top = max(top, v)
	}
	return top
}

func expSumGo(x []float32, top, scale float32) float32 {
	var s float64
	for i, v := range x {
		e := exp((v - top) * scale)
		x[i] = e
		s += float64(e)
	}
	return float32(s)
}

func softmaxGradGo(d, p []float32, m, scale float32) {
	for i, v := range p {
		d[i] = (d[i] - m) * v * scale
	}
}

func addGo(dst, x []float32) {
	for i, v := range x {
		dst[i] += v
	}
}

func addScaledGo(dst, x []float32, s float32) {
	for i, v := range x {
		dst[i] += s * v
	}
}

func scaleByGo(x []float32, s float32) {
	for i := range x {
		x[i] *= s
	}
}

func sumGo(x []float32) float32 {
	var s float64
	for _, v := range x {
		s += float64(v)
	}
	return float32(s)
}

func sumSquaresGo(x []float32, mean float32) float32 {
	var s float64
	for _, v := range x {
		d := float64(v - mean)
		s += d * d
	}
	return float32(s)
}

func dotGo(a, b []float32) float32 {
	var s float64
	for i, v := range a {
		s += float64(v) * float64(b[i])
	}
	return float32(s)
}

func normaliseGo(dst, x, w, b []float32, mean, scale float32) {
	for i, v := range x {
		dst[i] = (v-mean)*scale*w[i] + b[i]
	}
}

func normaliseSumsGo(g, x, w, dw, db []float32, mean, scale float32) (s, q float32) {
	var sum, along float64
	for i, v := range x {
		d, unit := g[i], (v-mean)*scale
		dw[i] += d * unit
		db[i] += d
		d *= w[i]
		g[i] = d
		sum += float64(d)
		along += float64(d) * float64(unit)
	}
	return float32(sum), float32(along)
}

func normaliseGradGo(g, x []float32, mean, scale, m, q float32) {
	for i, v := range x {
		g[i] = (g[i] - m - (v-mean)*scale*q) * scale
	}
}

func sumRowsGo(dst, x []float32, rows, ld int) {
	for r := range rows {
		addGo(dst, x[r*ld:r*ld+len(dst)])
	}
}

func squareRowsGo(dst, x, mean []float32, rows, ld int) {
	for r := range rows {
		for i, v := range x[r*ld : r*ld+len(dst)] {
			d := v - mean[i]
			dst[i] += d * d
		}
	}
}

func dotRowsGo(dst, g, x, mean []float32, rows, ld int) {
	for r := range rows {
		for i, v := range x[r*ld : r*ld+len(dst)] {
			dst[i] += g[r*ld+i] * (v - mean[i])
		}
	}
}

func normaliseColumnsGo(dst, x, mean, gain, b []float32) {
	for i, v := range x {
		dst[i] = (v-mean[i])*gain[i] + b[i]
	}
}

func normaliseColumnsGradGo(g, x, mean, gain, m, q []float32) {
	for i, v := range x {
		g[i] = (g[i] - m[i] - (v-mean[i])*q[i]) * gain[i]
	}
}

func filterGo(y []float32, ldy int, x []float32, stride int, w []float32, ldw, taps, rows int) {
	for r := range rows {
		out := y[r*ldy : r*ldy+FilterWidth]
		clear(out)
		for k, v := range x[r*stride : r*stride+taps] {
			addScaledGo(out, w[k*ldw:k*ldw+FilterWidth], v)
		}
	}
}

func filterGradGo(dw []float32, ldw int, g []float32, ldg int, x []float32, stride, rows int) {
	for r := range rows {
		for k, v := range x[r*stride : r*stride+FilterTaps] {
			addScaledGo(dw[k*ldw:k*ldw+FilterWidth], g[r*ldg:r*ldg+FilterWidth], v)
		}
	}
}

func eluGo(dst, x []float32) {
	for i, v := range x {
		if v < 0 {
			r, power := expm1(v)
			v = float32(power*r) + (power - 1)
		}
		dst[i] = v
	}
}

func logisticGo(x []float32, slope, top, bottom float32) {
	for i, v := range x {
		r, power := expm1(min(-slope*v, -lowest))
		x[i] = top/(float32(power*r)+power+1) + bottom
	}
}

func addProductGo(dst, w []float32, ld int, x []float32) {
	for i := range dst {
		dst[i] += dotGo(x, w[i*ld:i*ld+len(x)])
	}
}

func dropGo(dst, x []float32, scale float32, threshold uint32, state uint64) {
	dst = dst[:len(x)]
	for i := 0; i < len(x); i += 2 {
		word := mix(state)
		state += golden
		dst[i] = keep(x[i]*scale, uint32(word), threshold)
		if i+1 < len(x) {
			dst[i+1] = keep(x[i+1]*scale, uint32(word>>32), threshold)
		}
	}
}
