package similarity

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// table is features in memory, [items][layers*dim].
type table [][]float32

func (t table) Row(i int, _ []float32) ([]float32, error) { return t[i], nil }

func features(layers, dim int, rows table) Features {
	return Features{Items: len(rows), Layers: layers, Dim: dim, Rows: rows}
}

// drawn returns features of which every layer holds some of three shared factors.
func drawn(seed uint64, items, layers, dim int) Features {
	shared, own := rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(seed, 2))
	weights := make([]float64, 3*layers*dim)
	for k := range weights {
		weights[k] = own.NormFloat64()
	}
	rows := make(table, items)
	for i := range rows {
		factors := [3]float64{shared.NormFloat64(), shared.NormFloat64(), shared.NormFloat64()}
		for k := range layers * dim {
			v := 5 + own.NormFloat64()*float64(k/dim)
			for f, x := range factors {
				v += x * weights[3*k+f]
			}
			rows[i] = append(rows[i], float32(v))
		}
	}
	return features(layers, dim, rows)
}

func close12(t *testing.T, name string, got, want [][]float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d layers, want %d", name, len(got), len(want))
	}
	for l, row := range want {
		for m, v := range row {
			if !(math.Abs(got[l][m]-v) <= tolerance) {
				t.Errorf("%s: layers %d and %d: %v, want %v", name, l, m, got[l][m], v)
			}
		}
	}
}

// TestCKAEqualsTheFormulas holds both ways of computing to numpy's whole matrices.
func TestCKAEqualsTheFormulas(t *testing.T) {
	data, err := os.ReadFile("testdata/cka.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		MadeBy struct {
			NumPy string
			Seed  int
		} `json:"made_by"`
		Cases []struct {
			Name             string
			Items            int
			ShapeA           [2]int `json:"shape_a"`
			ShapeB           [2]int `json:"shape_b"`
			A, B             []float32
			Biased, Unbiased [][]float64
		}
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("testdata/make_cka.py"); err != nil || len(golden.Cases) != 3 || golden.MadeBy.NumPy == "" || golden.MadeBy.Seed == 0 {
		t.Fatalf("fixtures: %v, %d cases", err, len(golden.Cases))
	}
	rows := func(flat []float32, items int) table {
		out, width := make(table, items), len(flat)/items
		for i := range out {
			out[i] = flat[i*width : (i+1)*width]
		}
		return out
	}
	for _, c := range golden.Cases {
		a, b := features(c.ShapeA[0], c.ShapeA[1], rows(c.A, c.Items)), features(c.ShapeB[0], c.ShapeB[1], rows(c.B, c.Items))
		got, err := CKA(t.Context(), a, b)
		if err != nil || got.Items != c.Items {
			t.Fatal(got.Items, err)
		}
		for name, result := range bothWays(t, a, b) {
			close12(t, c.Name+", "+name+", unbiased", result.Unbiased, c.Unbiased, 1e-11)
			close12(t, c.Name+", "+name+", biased", result.Biased, c.Biased, 1e-12)
		}
		close12(t, c.Name, got.Unbiased, c.Unbiased, 1e-11)
	}
}

func bothWays(t *testing.T, a, b Features) map[string]Result {
	t.Helper()
	out := map[string]Result{}
	for name, of := range map[string]func(context.Context, *centred, *centred) (*products, error){"items": overItems, "features": overFeatures} {
		x, errX := newCentred(t.Context(), a)
		y, errY := newCentred(t.Context(), b)
		if errX != nil || errY != nil {
			t.Fatal(errX, errY)
		}
		p, err := of(t.Context(), x, y)
		if err != nil {
			t.Fatal(err)
		}
		if out[name], err = p.result(x, y); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestBothSpacesAgree goes over several tiles, the last of them short.
func TestBothSpacesAgree(t *testing.T) {
	a, b := drawn(1, 2*tile+37, 3, 20), drawn(2, 2*tile+37, 2, 31)
	ways := bothWays(t, a, b)
	close12(t, "unbiased", ways["items"].Unbiased, ways["features"].Unbiased, 1e-12)
	close12(t, "biased", ways["items"].Biased, ways["features"].Biased, 1e-12)
	if few, many := drawn(1, 10, 3, 20), drawn(1, 1000, 3, 20); !inItemSpace(few, few) || inItemSpace(many, many) {
		t.Error("few items are not compared by Gram matrices, or many are")
	}
}

func TestCKAOfTheSameIsOne(t *testing.T) {
	for _, items := range []int{10, 400} {
		a := drawn(3, items, 3, 12)
		got, err := CKA(t.Context(), a, a)
		if err != nil {
			t.Fatal(err)
		}
		for l := range got.Biased {
			if math.Abs(got.Biased[l][l]-1) > 1e-15 || math.Abs(got.Unbiased[l][l]-1) > 1e-15 {
				t.Errorf("%d items, layer %d with itself: %v and %v, want 1", items, l, got.Biased[l][l], got.Unbiased[l][l])
			}
			if l > 0 && !(got.Unbiased[0][l] < 0.999) {
				t.Errorf("%d items, layers 0 and %d: %v, want less than 1", items, l, got.Unbiased[0][l])
			}
		}
	}
}

// TestCKAIgnoresRotationScaleAndShift turns features by a Householder reflection and a rotation of pairs, shrinks and moves them.
func TestCKAIgnoresRotationScaleAndShift(t *testing.T) {
	a, b := drawn(4, 50, 1, 6), drawn(5, 50, 1, 6)
	moved := make(table, a.Items)
	axis := [6]float64{1, -2, 0.5, 3, 0, 1}
	var length float64
	for _, v := range axis {
		length += v * v
	}
	for i := range moved {
		row, dot := a.Rows.(table)[i], 0.0
		for k, v := range axis {
			dot += v * float64(row[k])
		}
		out := make([]float32, 6)
		for k, v := range axis {
			out[k] = float32(-0.03*(float64(row[k])-2*dot/length*v) + 7)
		}
		out[0], out[1] = (out[0]-out[1])/math.Sqrt2, (out[0]+out[1])/math.Sqrt2
		moved[i] = out
	}
	got, err := CKA(t.Context(), features(1, 6, moved), a)
	if err != nil {
		t.Fatal(err)
	}
	// Rounding to float32 at 7 leaves 1e-6 of values that vary by 0.1.
	close12(t, "with itself", got.Unbiased, [][]float64{{1}}, 1e-6)
	want, errW := CKA(t.Context(), a, b)
	have, errH := CKA(t.Context(), features(1, 6, moved), b)
	if errW != nil || errH != nil {
		t.Fatal(errW, errH)
	}
	close12(t, "with another", have.Unbiased, want.Unbiased, 1e-5)
	if want.Unbiased[0][0] > 0.9 {
		t.Errorf("another representation is as near as %v", want.Unbiased[0][0])
	}
}

// TestUnbiasedIsNearZeroForNoise: features that have nothing to do with each other, with more dimensions than items.
func TestUnbiasedIsNearZeroForNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	noise := func() Features {
		rows := make(table, 30)
		for i := range rows {
			for range 200 {
				rows[i] = append(rows[i], float32(r.NormFloat64()))
			}
		}
		return features(1, 200, rows)
	}
	got, err := CKA(t.Context(), noise(), noise())
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(got.Unbiased[0][0]) > 0.15 || got.Biased[0][0] < 0.6 {
		t.Errorf("noise: unbiased %v, biased %v, want about 0 and, on few items, far above it", got.Unbiased[0][0], got.Biased[0][0])
	}
}

func TestCKAOfAConstantLayerIsUndefined(t *testing.T) {
	rows := make(table, 6)
	for i := range rows {
		rows[i] = []float32{0.1, 0.3, float32(i), float32(i * i)}
	}
	got, err := CKA(t.Context(), features(2, 2, rows), features(2, 2, rows))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := json.Marshal(got)
	if want := `{"items":6,"unbiased":[[null,null],[null,1]],"biased":[[null,null],[null,1]]}`; err != nil || string(doc) != want {
		t.Errorf("%s, %v, want %s", doc, err, want)
	}
}

func TestCKAIsTheSameForAnyGOMAXPROCS(t *testing.T) {
	a, b := drawn(7, 300, 2, 130), drawn(8, 300, 2, 140)
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	want := bothWays(t, a, b)
	runtime.GOMAXPROCS(5)
	if got := bothWays(t, a, b); !reflect.DeepEqual(got, want) {
		t.Error("the result depends on the number of threads")
	}
}

// broken hands out a row that is not as it should be, or none.
type broken struct {
	table
	row []float32
	err error
}

func (b broken) Row(i int, buf []float32) ([]float32, error) {
	if i == 3 {
		return b.row, b.err
	}
	return b.table.Row(i, buf)
}

func TestCKARefuses(t *testing.T) {
	good, full := drawn(9, 8, 1, 2), errors.New("disk is gone")
	with := func(row []float32, err error) Features {
		f := good
		f.Rows = broken{good.Rows.(table), row, err}
		return f
	}
	huge := make(table, 8)
	for i := range huge {
		huge[i] = []float32{math.MaxFloat32 * float32(i%2), 1}
	}
	for _, c := range []struct {
		name, want string
		a, b       Features
		is         error
	}{
		{"items", "8 items of one model, 9 of the other", good, drawn(9, 9, 1, 2), ErrInvalid},
		{"three", "3 items, want at least 4", drawn(9, 3, 1, 2), drawn(9, 3, 1, 2), ErrInvalid},
		{"no layers", "features are [0][2] and [1][2]", features(0, 2, good.Rows.(table)), good, ErrInvalid},
		{"length", "second model: invalid features: item 3 has 3 values, want [1][2]", good, with([]float32{1, 2, 3}, nil), ErrInvalid},
		{"NaN", "first model: invalid features: item 3, layer 0: value is NaN", with([]float32{1, float32(math.NaN())}, nil), good, ErrInvalid},
		{"rows fail", "disk is gone", good, with(nil, full), full},
		{"too large", "values too large", features(1, 2, huge), features(1, 2, huge), ErrInvalid},
	} {
		if _, err := CKA(t.Context(), c.a, c.b); !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := CKA(ctx, good, good); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// BenchmarkCKA compares 13 x 13 layers of 768 dimensions over 1,000 items.
func BenchmarkCKA(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	rows := make(table, 1000)
	for i := range rows {
		rows[i] = make([]float32, 13*768)
		for k := range rows[i] {
			rows[i][k] = float32(r.NormFloat64())
		}
	}
	f := features(13, 768, rows)
	for b.Loop() {
		if _, err := CKA(b.Context(), f, f); err != nil {
			b.Fatal(err)
		}
	}
}
