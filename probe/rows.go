package probe

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// blockRows is how many rows are read at a time where all are read in order: 10 MB of MERT-95M's.
const blockRows = 256

// reader reads rows of features as a head's inputs: the layers that s picks, shifted and scaled. Its memory is that of the largest
// batch. Not safe for concurrent use.
type reader struct {
	f      *Features
	s      *scaler
	stored [][]float32 // by row of the batch: what features are read into where they are not in memory
	scaled []float32   // the batch, where anything is scaled: row after row without gaps
	out    [][]float32
}

// read returns the given rows, each [len(s.layers)][dim]. They hold until the next read and must not be written to.
func (r *reader) read(at []int, workers int) ([][]float32, error) {
	for len(r.out) < len(at) {
		r.out, r.stored = append(r.out, nil), append(r.stored, nil)
	}
	inputs := r.s.inputs()
	if r.s.gain != nil {
		r.scaled = resize(r.scaled, len(at)*inputs)
	}
	errs := make([]error, len(at))
	share(len(at), workers, func(i int) {
		if r.f.Rows != nil && r.stored[i] == nil {
			r.stored[i] = make([]float32, 0, r.f.Layers*r.f.Dim)
		}
		row, err := r.f.Row(at[i], r.stored[i])
		if err != nil {
			errs[i] = err
			return
		}
		r.out[i] = row[r.s.layers[0]*r.f.Dim:][:inputs] // picked layers are neighbours
		if r.s.gain != nil {
			to := r.scaled[i*inputs : (i+1)*inputs]
			r.s.apply(to, r.out[i])
			r.out[i] = to
		}
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return r.out[:len(at)], nil
}

// blocks reads all rows in order, blockRows at a time, and hands each block to do with the number of its first row.
func (r *reader) blocks(workers int, do func(first int, rows [][]float32) error) error {
	at := make([]int, 0, blockRows)
	for first := 0; first < len(r.f.Items); first += blockRows {
		at = at[:0]
		for i := first; i < min(first+blockRows, len(r.f.Items)); i++ {
			at = append(at, i)
		}
		rows, err := r.read(at, workers)
		if err != nil {
			return err
		}
		if err := do(first, rows); err != nil {
			return err
		}
	}
	return nil
}

// means averages logits of rows over items, as they come.
type means struct {
	item  []int // of each row
	count []int // rows of each item
	sums  [][]float64
}

func newMeans(f *Features, columns int) *means {
	spans := f.Spans()
	m := &means{item: make([]int, len(f.Items)), count: make([]int, len(spans)-1), sums: make([][]float64, len(spans)-1)}
	for k := range m.sums {
		m.sums[k], m.count[k] = make([]float64, columns), spans[k+1]-spans[k]
		for i := spans[k]; i < spans[k+1]; i++ {
			m.item[i] = k
		}
	}
	return m
}

// add takes the logits [rows][columns] of rows from first on.
func (m *means) add(first int, z []float32) {
	columns := len(m.sums[0])
	for i := 0; i < len(z); i += columns {
		k := m.item[first+i/columns]
		for t, v := range z[i : i+columns] {
			m.sums[k][t] += float64(v) / float64(m.count[k])
		}
	}
}

// resize returns a slice of n elements with any values, in the memory of s where that is enough.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// share calls f(i) once for each i in [0, n), on up to this many goroutines, GOMAXPROCS at most.
func share(n, workers int, f func(i int)) {
	workers = min(n, workers, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}
