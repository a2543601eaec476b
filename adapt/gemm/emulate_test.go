package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// family is the micro-kernels for every height of an instruction set and a width.
type family struct {
	name   string // with the height for %d
	rows   int    // the largest
	cols   []int  // widths to be tested
	packed bool
}

var families = []family{
	{"packed%dx32avx512", 14, []int{32}, true},
	{"tile%dx32avx512", 14, []int{1, 16, 17, 31, 32}, false},
	{"tile%dx16avx512", 14, []int{1, 15, 16}, false},
	{"packed%dx16avx2", 6, []int{16}, true},
	{"tile%dx16avx2", 6, []int{16}, false},
	{"tile%dx16avx2masked", 6, []int{9, 15, 16}, false},
	{"tile%dx8avx2masked", 6, []int{1, 7, 8}, false},
}

// call is a micro-kernel's operands in one stretch of memory, where nothing is allowed but what the arguments allow.
type call struct {
	kc, aRow, aCol, bRow, ldc, rows, cols, acc int

	a, b, c     int // the words where they begin
	words, want []float32
	may         []byte
}

// newCall returns a call with random operands. Between their elements, around them, and in C where it is only written, lie NaN.
// want is the memory after the call, by the definition: a sum in the order of p, each addend rounded once, and then C.
func newCall(rng *rand.Rand, kc, aRow, aCol, bRow, ldc, rows, cols, acc int) *call {
	q := &call{kc: kc, aRow: aRow, aCol: aCol, bRow: bRow, ldc: ldc, rows: rows, cols: cols, acc: acc}
	const guard = 67 // words: no operand is aligned to a vector
	q.a = guard
	q.b = q.a + (rows-1)*aRow + (kc-1)*aCol + 1 + guard
	q.c = q.b + (kc-1)*bRow + cols + guard
	q.words = make([]float32, q.c+(rows-1)*ldc+cols+guard)
	for i := range q.words {
		q.words[i] = float32(math.NaN())
	}
	q.may = make([]byte, len(q.words))
	set := func(at int, right byte) {
		q.may[at] = right
		if right&mayRead != 0 {
			q.words[at] = 2*rng.Float32() - 1
		}
	}
	for p := range kc {
		for i := range rows {
			set(q.a+i*aRow+p*aCol, mayRead)
		}
		for j := range cols {
			set(q.b+p*bRow+j, mayRead)
		}
	}
	for i := range rows {
		for j := range cols {
			if acc != 0 {
				set(q.c+i*ldc+j, mayRead|mayWrite)
			} else {
				set(q.c+i*ldc+j, mayWrite)
			}
		}
	}
	q.want = slices.Clone(q.words)
	for i := range rows {
		for j := range cols {
			sum := float32(0)
			for p := range kc {
				sum = fma(q.words[q.a+i*aRow+p*aCol], q.words[q.b+p*bRow+j], sum)
			}
			if acc != 0 {
				sum += q.words[q.c+i*ldc+j]
			}
			q.want[q.c+i*ldc+j] = sum
		}
	}
	return q
}

func (q *call) String() string {
	return fmt.Sprintf("%d rows, %d columns, kc=%d aRow=%d aCol=%d bRow=%d ldc=%d acc=%d", q.rows, q.cols, q.kc, q.aRow, q.aCol, q.bRow, q.ldc, q.acc)
}

// each makes calls of a kernel of every height; for packed operands, whose loops take four turns, with fewer, with whole
// fours and with others.
func (f family) each(do func(name string, q *call)) {
	rng := rand.New(rand.NewPCG(31, 32))
	turns := []int{1, 2, 7}
	if f.packed {
		turns = []int{1, 2, 3, 4, 5, 7, 8, 12, 18, 23}
	}
	for rows := 1; rows <= f.rows; rows++ {
		name := fmt.Sprintf(f.name, rows)
		for _, kc := range turns {
			for _, cols := range f.cols {
				for acc := range 2 {
					do(name, newCall(rng, kc, 1, rows, cols, cols+rng.IntN(9), rows, cols, acc)) // as packed
					if !f.packed {
						do(name, newCall(rng, kc, kc+rng.IntN(5), 1, cols+rng.IntN(9), cols+rng.IntN(9), rows, cols, acc))
						do(name, newCall(rng, kc, 1, rows+rng.IntN(5), cols+rng.IntN(9), cols, rows, cols, acc))
					}
				}
			}
		}
	}
}

// interpret runs the routine on the call's memory and returns what it leaves there.
func (q *call) interpret(r *routine, packed bool, lanes []float32) ([]float32, error) {
	m := &machine{words: append(slices.Clone(q.words), lanes...), may: slices.Clone(q.may)}
	m.symbols = map[string]uint64{"lanemasks": 4 * uint64(len(q.words))}
	for range lanes {
		m.may = append(m.may, mayRead)
	}
	params := []int{q.kc, 4 * q.a, q.aRow, q.aCol, 4 * q.b, q.bRow, 4 * q.c, q.ldc, q.cols, q.acc}
	if packed {
		params = []int{q.kc, 4 * q.a, 4 * q.b, 4 * q.c, q.ldc, q.acc}
	}
	for _, x := range params {
		m.params = append(m.params, uint64(x))
	}
	err := m.run(r)
	return m.words[:len(q.words)], err
}

// TestInterpreted: on any machine, the text of the AVX-512 and AVX2 micro-kernels computes the definition's bits, touches
// no memory beyond its operands, and needs no more than the instruction set it is chosen for.
func TestInterpreted(t *testing.T) {
	routines, data := assembly(t)
	tested := map[string]bool{}
	for _, f := range families {
		for rows := 1; rows <= f.rows; rows++ {
			tested[fmt.Sprintf(f.name, rows)] = true
		}
		t.Run(f.name, func(t *testing.T) {
			f.each(func(name string, q *call) {
				r, ok := routines[name]
				if !ok {
					t.Fatalf("there is no %s", name)
				}
				got, err := q.interpret(r, f.packed, data["lanemasks"])
				if err != nil {
					t.Fatalf("%s: %v: %v", name, q, err)
				}
				equal(t, fmt.Sprintf("%s: %v", name, q), got, q.want)
			})
		})
	}
	for name, r := range routines {
		if strings.HasPrefix(name, "tile") || strings.HasPrefix(name, "packed") {
			if !tested[name] {
				t.Errorf("%s belongs to no family", name)
			}
			allowed := []string{"AVX", "FMA3", "MMX+"} // MMX+ is the prefetch, which every amd64 processor has
			if strings.HasSuffix(name, "avx512") {
				allowed = []string{"AVX", "AVX512F", "MMX+"}
			}
			for _, feature := range r.requires {
				if !slices.Contains(allowed, feature) {
					t.Errorf("%s requires %s", name, feature)
				}
			}
		}
	}
}
