package method

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// wudi is WUDI-Merging (arXiv 2503.08099, equation 10): the task vectors of a linear layer span nearly what its inputs do, so the
// merged one is to differ from each of them where that one is 0. From m = Σ w_i d_i, Adam takes steps down
//
//	Σ |(m − d_i) d_iᵀ|² / |d_i|²
//
// whose gradient is 2 (m H − K) with H = Σ d_iᵀd_i/|d_i|² and K = Σ d_i d_iᵀd_i/|d_i|², computed once. A task vector that is zero
// takes no part. Weights scale the task vectors d_i themselves.
//
// It makes iterations products of [out][in] with [in][in]: hundreds times what the other methods cost. A merge of billions of
// parameters is out of reach; the parameter matrix with a filter keeps it to the layers that matter. The authors leave all but the
// matrices of attention and MLP at the base; here those are averaged, as FusionBench does.
func wudi(t *Task, c contributors) (kernel, error) {
	rows, width := t.matrixShape()
	m := mat.NewDense(rows, width, nil)
	symmetric, k := mat.NewSymDense(width, nil), mat.NewDense(rows, width, nil)
	count := 0
	for _, in := range c {
		d, err := t.matrix(in, t.base())
		if err != nil {
			return nil, err
		}
		norm := mat.Norm(d, 2)
		if norm == 0 {
			continue
		}
		count++
		m.Add(m, d)
		unit := new(mat.Dense)
		unit.Scale(1/norm, d)
		if err := t.solver().Do(func() {
			var side, cube mat.Dense
			side.Mul(d, unit.T())
			cube.Mul(&side, unit)
			k.Add(k, &cube)
			symmetric.SymRankK(symmetric, 1, unit.T())
		}); err != nil {
			return nil, err
		}
	}
	if count < 2 {
		return &moved{base: t.base(), m: flat(m)}, nil // nothing interferes: Adam would step along the rounding of a gradient of 0
	}
	h := mat.DenseCopyOf(symmetric) // gonum multiplies with that faster
	if err := t.descend(m, h, k); err != nil {
		return nil, err
	}
	return &moved{base: t.base(), m: flat(m)}, nil
}

// descend takes the steps of Adam (arXiv 1412.6980, with its β and ε) from m down the gradient 2 (m H − K).
func (t *Task) descend(m, h, k *mat.Dense) error {
	const beta1, beta2, epsilon = 0.9, 0.999, 1e-8
	x, target := flat(m), flat(k)
	first, second := make([]float64, len(x)), make([]float64, len(x))
	rate := t.Params["learning_rate"]
	for step := 1; step <= int(t.Params["iterations"]); step++ {
		product := new(mat.Dense)
		if err := t.solver().Do(func() { product.Mul(m, h) }); err != nil {
			return err
		}
		correct1, correct2 := 1-math.Pow(beta1, float64(step)), math.Sqrt(1-math.Pow(beta2, float64(step)))
		for i, p := range flat(product) {
			g := 2 * (p - target[i])
			first[i] = float64(beta1*first[i]) + float64((1-beta1)*g)
			second[i] = float64(beta2*second[i]) + float64((1-beta2)*g*g)
			x[i] -= rate / correct1 * first[i] / (math.Sqrt(second[i])/correct2 + epsilon)
		}
	}
	return nil
}
