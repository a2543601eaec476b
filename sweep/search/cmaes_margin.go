package search

import "math"

// correctMargin keeps parameters of steps moving, as CMA-ES with margin does (Hamano and others 2022, arXiv 2205.13482,
// section 4): after an update, the value at the mean's cell must leave a probability of at least 1/(n population) together
// to its neighbours, however narrow the distribution has become. At an outer cell the mean is moved towards the
// one neighbour; elsewhere mean and stretch of the coordinate are set so that both sides keep their share.
func (d *distribution) correctMargin(axes []axis) {
	margin := 1 / float64(d.n*d.population)
	for i, a := range axes {
		if a.step == 0 {
			continue
		}
		lower, upper := a.cell(d.mean[i])
		deviation := d.sigma * d.stretch[i] * math.Sqrt(d.c.At(i, i))
		below, above := normalBelow((lower-d.mean[i])/deviation), normalBelow((d.mean[i]-upper)/deviation)
		switch {
		case math.IsInf(lower, 0):
			if above < margin {
				d.mean[i] = upper - deviation*normalQuantile(1-margin)
			}
		case math.IsInf(upper, 0):
			if below < margin {
				d.mean[i] = lower + deviation*normalQuantile(1-margin)
			}
		default:
			within := 1 - below - above
			below, above = max(below, margin/2), max(above, margin/2)
			excess, room := 1-below-above-within, below+within+above-1.5*margin
			b := below + excess*(below-margin/2)/room
			u := above + excess*(above-margin/2)/room
			qb, qu := normalQuantile(1-min(b, 0.5-1e-10)), normalQuantile(1-min(u, 0.5-1e-10))
			d.stretch[i] = (upper - lower) / ((qb + qu) * d.sigma * math.Sqrt(d.c.At(i, i)))
			d.mean[i] = (lower*qu + upper*qb) / (qb + qu)
		}
	}
}

// normalBelow is the distribution function of the standard normal, and normalQuantile its inverse.
func normalBelow(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

func normalQuantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }
