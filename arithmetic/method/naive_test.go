package method

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The methods again, in float64 over whole vectors, from their formulas: no Gram matrix, no blocks, no selection but sorting.

type vector []float64

func (v vector) dot(u vector) float64 {
	s := 0.0
	for i := range v {
		s += v[i] * u[i]
	}
	return s
}

func (v vector) norm() float64 { return math.Sqrt(v.dot(v)) }

// plus is v + c·u.
func (v vector) plus(c float64, u vector) vector {
	out := make(vector, len(v))
	for i := range v {
		out[i] = v[i] + c*u[i]
	}
	return out
}

func (v vector) times(c float64) vector { return make(vector, len(v)).plus(c, v) }

// unit is v/|v|, and 0 for a zero vector.
func (v vector) unit() vector {
	if n := v.norm(); n > 0 {
		return v.times(1 / n)
	}
	return make(vector, len(v))
}

// naive computes a method for tensors that were cut into vectors already.
type naive func(p Values, weights []float64, base vector, models []vector) vector

func naiveSlerp(a, b vector, t float64) vector {
	cos := a.unit().dot(b.unit())
	if math.Abs(cos) > 1-0x1p-25 {
		return a.times(1-t).plus(t, b)
	}
	angle := math.Acos(cos)
	return a.times(math.Sin((1-t)*angle)/math.Sin(angle)).plus(math.Sin(t*angle)/math.Sin(angle), b)
}

var naives = map[string]naive{
	"slerp": func(p Values, _ []float64, base vector, models []vector) vector {
		if math.Abs(base.unit().dot(models[0].unit())) > 0.9995 {
			return base.times(1-p["t"]).plus(p["t"], models[0])
		}
		return naiveSlerp(base, models[0], p["t"])
	},
	"nuslerp": func(_ Values, w []float64, base vector, models []vector) vector {
		t := w[1] / (w[0] + w[1])
		return base.plus(1, naiveSlerp(models[0].plus(-1, base), models[1].plus(-1, base), t))
	},
	"multislerp": func(_ Values, w []float64, base vector, models []vector) vector {
		total, size := 0.0, 0.0
		for _, x := range w {
			total += x
		}
		mean := make(vector, len(base))
		for i, m := range models {
			d := m.plus(-1, base)
			mean = mean.plus(w[i]/total, d.unit())
			size += w[i] / total * d.norm()
		}
		mean = mean.unit()
		tangent := make(vector, len(base))
		for i, m := range models {
			u := m.plus(-1, base).unit()
			tangent = tangent.plus(w[i]/total, u.plus(-u.dot(mean), mean))
		}
		angle := tangent.norm() + 1e-8
		return base.plus(size, mean.times(math.Cos(angle)).plus(math.Sin(angle)/angle, tangent))
	},
	"karcher": func(p Values, _ []float64, base vector, models []vector) vector {
		all := append([]vector{base}, models...)
		n, size := float64(len(all)), 0.0
		mean := make(vector, len(base))
		for _, v := range all {
			mean = mean.plus(1, v.unit())
			size += v.norm() / n
		}
		mean = mean.unit()
		for range int(p["max_iter"]) {
			tangent := make(vector, len(base))
			for _, v := range all {
				u := v.unit()
				angle := math.Acos(mean.dot(u))
				tangent = tangent.plus(angle/math.Sin(angle)/n, u.plus(-mean.dot(u), mean))
			}
			step := tangent.norm()
			if step < p["tol"] {
				break
			}
			mean = mean.times(math.Cos(step)).plus(math.Sin(step)/step, tangent).unit()
		}
		return mean.times(size)
	},
	"model_stock": func(_ Values, _ []float64, base vector, models []vector) vector {
		var cosines, pairs float64
		mean := make(vector, len(base))
		for i, a := range models {
			mean = mean.plus(1/float64(len(models)), a)
			for _, b := range models[:i] {
				cosines += a.plus(-1, base).unit().dot(b.plus(-1, base).unit())
				pairs++
			}
		}
		cos, n := cosines/pairs, float64(len(models))
		t := n * cos / (1 + (n-1)*cos)
		return mean.times(t).plus(1-t, base)
	},
	"nearswap": func(p Values, _ []float64, base vector, models []vector) vector {
		out := slices.Clone(base)
		for i, b := range models[0] {
			w := min(1, max(0, p["t"]/max(1e-6, math.Abs(b-base[i]))))
			out[i] += w * (b - base[i])
		}
		return out
	},
	"ram": func(p Values, _ []float64, base vector, models []vector) vector {
		return naiveRAM(p, base, models, false)
	},
	"ramplus_tl": func(p Values, _ []float64, base vector, models []vector) vector {
		return naiveRAM(p, base, models, true)
	},
	"sce": func(p Values, _ []float64, base vector, models []vector) vector {
		n := float64(len(models))
		variances := make(vector, len(base))
		varying := 0
		for i := range base {
			mean := 0.0
			for _, m := range models {
				mean += m[i] / n
			}
			for _, m := range models {
				variances[i] += (m[i] - mean) * (m[i] - mean) / n
			}
			if variances[i] > 0 {
				varying++
			}
		}
		order := make([]int, len(base))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(float32(variances[j]), float32(variances[i])) })
		if p["select_topk"] < 1 {
			order = order[:int(float32(varying)*float32(p["select_topk"]))]
		}
		squares, sum := make(vector, len(models)), 0.0
		for m := range models {
			for _, i := range order {
				d := models[m][i] - base[i]
				squares[m] += d * d / float64(len(base))
			}
			sum += squares[m]
		}
		out := slices.Clone(base)
		for _, i := range order {
			total, value, weight := 0.0, 0.0, 0.0
			for _, m := range models {
				total += m[i] - base[i]
			}
			for m := range models {
				if d := models[m][i] - base[i]; d > 0 && total >= 0 || d < 0 && total < 0 {
					value += squares[m] / sum * d
					weight += squares[m] / sum
				}
			}
			out[i] += value / max(weight, 1e-6)
		}
		return out
	},
}

func naiveRAM(p Values, base vector, models []vector, plus bool) vector {
	own, shared := make(vector, len(models)), make(vector, len(models))
	changed := func(m, i int) bool { return math.Abs(models[m][i]-base[i]) > p["epsilon"] }
	out := slices.Clone(base)
	for pass := range 2 {
		for i := range base {
			var who []int
			for m := range models {
				if changed(m, i) {
					who = append(who, m)
				}
			}
			for _, m := range who {
				switch {
				case pass == 0 && len(who) == 1:
					own[m]++
				case pass == 0:
					shared[m]++
				case len(who) == 1 && plus:
					out[i] += (models[m][i] - base[i]) * (1 + p["r"]*min(p["alpha"], shared[m]/own[m]))
				default:
					out[i] += (models[m][i] - base[i]) / float64(len(who))
				}
			}
		}
	}
	return out
}

// variant is a method with parameters and the way in which its naive form cuts a tensor.
type variant struct {
	method string
	params Values
	models int // beside the base
	cut    func(t *Task) partition
}

func variants() []variant {
	return []variant{
		{"slerp", Values{"t": 0.3}, 1, (*Task).whole},
		{"nuslerp", nil, 2, (*Task).whole},
		{"nuslerp", Values{"nuslerp_flatten": 0}, 2, (*Task).byRow},
		{"nuslerp", Values{"nuslerp_flatten": 0, "nuslerp_row_wise": 1}, 2, (*Task).byColumn},
		{"multislerp", nil, 3, (*Task).whole},
		{"karcher", Values{"tol": 1e-7}, 3, (*Task).whole},
		{"model_stock", nil, 3, (*Task).whole},
		{"model_stock", Values{"filter_wise": 1}, 3, (*Task).byRow},
		{"nearswap", Values{"t": 0.1}, 1, (*Task).whole},
		{"ram", Values{"epsilon": 0.15}, 3, (*Task).whole},
		{"ramplus_tl", Values{"epsilon": 0.15, "r": 0.5, "alpha": 3}, 3, (*Task).whole},
		{"sce", nil, 3, (*Task).whole},
		{"sce", Values{"select_topk": 0.4}, 3, (*Task).whole},
		{"arcee_fusion", nil, 1, nil},
	}
}

// task makes random tensors for the variant: the base normal, differences smaller and with a part in common, some of them 0.
func (v variant) task(t testing.TB, shape []int) (*Method, Task) {
	r := rand.New(rand.NewPCG(11, 3))
	n := (&Task{Shape: shape}).Elements()
	tensors := make([][]float32, v.models+1)
	for m := range tensors {
		tensors[m] = make([]float32, n)
	}
	for i := range n {
		base, common := r.NormFloat64(), 0.2*r.NormFloat64()
		for m := range tensors {
			x := base
			if m > 0 && r.IntN(3) > 0 {
				x += common + 0.3*r.NormFloat64()
			}
			tensors[m][i] = float32(math.Round(x*4096) / 4096) // so that differences are exact
		}
	}
	m, ok := Find(v.method)
	if !ok {
		t.Fatalf("no method %s", v.method)
	}
	task := newTask(t, m, shape, 0, tensors...)
	for name, x := range v.params {
		task.Params[name] = x
	}
	for i := range task.Inputs {
		if _, ok := m.Param("weight"); ok {
			task.Inputs[i].Params["weight"] = 0.5 + float64(i)
		}
	}
	return m, task
}

// want is the naive result.
func (v variant) want(t testing.TB, task *Task) vector {
	n := task.Elements()
	tensors := make([]vector, len(task.Inputs))
	for m := range task.Inputs {
		x := make([]float32, n)
		if err := task.Inputs[m].read(0, x); err != nil {
			t.Fatal(err)
		}
		for _, x := range x {
			tensors[m] = append(tensors[m], float64(x))
		}
	}
	if v.method == "arcee_fusion" {
		_, width := task.rows()
		return naiveFusion(tensors[0], tensors[1], width)
	}
	var weights []float64
	for _, in := range task.others() {
		weights = append(weights, in.Params["weight"])
	}
	out := make(vector, n)
	p := v.cut(task)
	step := p.stride
	for k := range p.vectors {
		start := k * p.length
		if step > 1 {
			start = k
		}
		parts := make([]vector, len(tensors))
		for m := range tensors {
			for e := range p.length {
				parts[m] = append(parts[m], tensors[m][start+e*step])
			}
		}
		for e, x := range naives[v.method](task.Params, weights, parts[0], parts[1:]) {
			out[start+e*step] = x
		}
	}
	return out
}

func naiveFusion(base, other vector, width int) vector {
	importance := make(vector, len(base))
	softmax := func(row vector) vector {
		out, sum := make(vector, len(row)), 0.0
		for i, x := range row {
			out[i] = math.Exp(x)
			sum += out[i]
		}
		return out.times(1 / sum)
	}
	for lo := 0; lo < len(base); lo += width {
		p, q := softmax(other[lo:lo+width]), softmax(base[lo:lo+width])
		kl := 0.0
		for i := range p {
			kl += (p[i] + 1e-8) * math.Log((p[i]+1e-8)/(q[i]+1e-8))
		}
		for i := range p {
			importance[lo+i] = math.Abs(other[lo+i]-base[lo+i]) * max(0, kl)
		}
	}
	sorted := slices.Sorted(slices.Values(importance))
	at := func(q float64) float64 { return sorted[int(q*float64(len(sorted)-1))] }
	threshold := at(0.5) + 1.5*(at(0.75)-at(0.25))
	out := slices.Clone(base)
	for i, x := range importance {
		if x >= threshold {
			out[i] = other[i]
		}
	}
	return out
}

// TestAgreesWithFormulas: shapes whose rows and columns are shorter and longer than blocks, stripes and chunks.
func TestAgreesWithFormulas(t *testing.T) {
	const tolerance = 16 * 0x1p-24 // of the largest number that goes into an element
	for _, shape := range [][]int{{40}, {6, 7}, {8, 5, 9}, {31, 8199}, {8200, 33}, {8, 30, 1100}, {chunkElements + 17}} {
		for _, v := range variants() {
			name := fmt.Sprintf("%s %v of %d", v.method, v.params, shape)
			m, task := v.task(t, shape)
			got, err := result(t, m, task)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			// A choice (what is large enough, which sign wins) may fall the other way where rounding decides; elements whose
			// differences are equal fall together.
			wrong, most := 0, 0
			if v.method == "arcee_fusion" || v.method == "sce" {
				most = len(got) / 5000
			}
			worst := 0.0
			for i, want := range v.want(t, &task) {
				size := max(1, math.Abs(want))
				if off := math.Abs(float64(got[i])-want) / size; !(off <= tolerance) {
					wrong++
					worst = max(worst, off)
				}
			}
			if wrong > most {
				t.Errorf("%s: %d of %d elements are off, by up to %.3g, tolerance %.3g", name, wrong, len(got), worst, tolerance)
			}
		}
	}
}
