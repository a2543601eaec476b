package tokenizer

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"syncretic/checkpoint"
)

// words is a WordLevel tokenizer of these tokens in this order.
func words(t testing.TB, tokens ...string) *Tokenizer {
	t.Helper()
	var o object
	for i, token := range tokens {
		o = append(o, field{token, fmt.Append(nil, i)})
	}
	tok, err := Load(inMemory(checkpoint.SideFile{Name: mainFile, Data: fmt.Appendf(nil, `{"model":{"type":"WordLevel","vocab":%s}}`, o.encode())}))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// weights is a model of one random tensor.
func weights(t testing.TB, seed uint64, name string, shape ...int) *checkpoint.Memory {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	data := make([]float32, checkpoint.Info{Shape: shape}.Elements())
	for i := range data {
		data[i] = rng.Float32() - 0.5
	}
	src, err := checkpoint.NewMemory(checkpoint.Tensor{Name: name, Shape: shape, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// wide are three models whose union has rows of every kind, with rows longer than a mean is summed at a time.
func wide(t testing.TB, width int) (*Merged, []Input) {
	t.Helper()
	models := []Model{{Name: "a", Tokenizer: words(t, "one", "two", "three", "four"), VocabSize: 6}, {Name: "b", Tokenizer: words(t, "four", "five", "six", "one")},
		{Name: "c", Tokenizer: words(t, "six", "two", "five", "seven")}}
	m, err := Build(models, -1, Config{PadToMultipleOf: 5, Tokens: []Token{{Text: "zero", Source: FromZero()}, {Text: "two", Source: FromToken("a", "one"), Force: true}}})
	if err != nil {
		t.Fatal(err)
	}
	var inputs []Input
	for i, rows := range []int{6, 4, 4} {
		inputs = append(inputs, Input{i, weights(t, uint64(i), "w", rows, width), "w"})
	}
	return m, inputs
}

// TestReadRanges: any range is what the whole tensor has there, from several goroutines.
func TestReadRanges(t *testing.T) {
	for _, width := range []int{1, 3, 64, 2500} {
		m, inputs := wide(t, width)
		views, err := m.Align(inputs, -1)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range views {
			info := v.Tensors()[0]
			if !slices.Equal(info.Shape, []int{10, width}) || info.Name != "w" || info.DType != checkpoint.F32 {
				t.Fatalf("%+v", info)
			}
			whole := reference(t, m, inputs, i, width)
			var wg sync.WaitGroup
			for worker := range 4 {
				wg.Go(func() {
					rng := rand.New(rand.NewPCG(uint64(worker), 7))
					for range 50 {
						offset := rng.IntN(len(whole))
						dst := make([]float32, rng.IntN(len(whole)-offset+1))
						if err := v.Read("w", offset, dst); err != nil {
							t.Error(err)
							return
						}
						if !slices.EqualFunc(dst, whole[offset:offset+len(dst)], near) {
							t.Errorf("width %d, model %d: elements [%d %d) differ", width, i, offset, offset+len(dst))
							return
						}
					}
				})
			}
			wg.Wait()
		}
	}
}

// near allows for sums in another order: one rounding of numbers below 1.
func near(a, b float32) bool { return math.Abs(float64(a)-float64(b)) <= 0x1p-24 }

// reference computes a whole tensor from the rules, row by row.
func reference(t *testing.T, m *Merged, inputs []Input, input, width int) []float32 {
	t.Helper()
	row := func(i int, token string) []float32 {
		id, ok := m.own[i].ID(token)
		if !ok {
			return nil
		}
		r := make([]float32, width)
		if err := inputs[i].Source.Read("w", id*width, r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	whole := make([]float32, m.Size()*width)
	mean := make([]float64, width)
	for _, e := range m.Vocabulary() {
		var got []float32
		switch e.Token {
		case "two":
			got = row(0, "one")
		case "zero":
			got = make([]float32, width)
		default:
			if got = row(input, e.Token); got == nil {
				got = meanOf(row(0, e.Token), row(1, e.Token), row(2, e.Token))
			}
		}
		copy(whole[e.ID*width:], got)
		for j, x := range got {
			mean[j] += float64(x) / float64(len(m.tokens))
		}
	}
	for id := len(m.tokens); id < m.Size(); id++ {
		for j, x := range mean {
			whole[id*width+j] = float32(x)
		}
	}
	return whole
}

func meanOf(rows ...[]float32) []float32 {
	rows = slices.DeleteFunc(rows, func(r []float32) bool { return r == nil })
	mean := make([]float32, len(rows[0]))
	for j := range mean {
		sum := 0.0
		for _, r := range rows {
			sum += float64(r[j])
		}
		mean[j] = float32(sum / float64(len(rows)))
	}
	return mean
}

func TestBias(t *testing.T) {
	models := []Model{{Name: "a", Tokenizer: words(t, "one", "two")}, {Name: "b", Tokenizer: words(t, "two", "three")}}
	m, err := Build(models, 0, Config{})
	if err != nil {
		t.Fatal(err)
	}
	inputs := []Input{{0, weights(t, 1, "lm_head.bias", 2), "lm_head.bias"}, {1, weights(t, 2, "lm_head.bias", 2), "lm_head.bias"}}
	views, err := m.Align(inputs, 0)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := checkpoint.ReadAll(inputs[0].Source, "lm_head.bias")
	b, _ := checkpoint.ReadAll(inputs[1].Source, "lm_head.bias")
	for i, want := range [][]float32{{a[0], a[1], b[1]}, {a[0], b[0], b[1]}} {
		if got, err := checkpoint.ReadAll(views[i], "lm_head.bias"); err != nil || !slices.Equal(got, want) {
			t.Errorf("model %d: %v, want %v (%v)", i, got, want, err)
		}
	}
}

// TestAlignOneModel: a model alone gets its own rows, and a model that is there twice does not count twice.
func TestAlignOneModel(t *testing.T) {
	m, inputs := wide(t, 3)
	views, err := m.Align([]Input{inputs[1], inputs[1], inputs[0]}, -1)
	if err != nil {
		t.Fatal(err)
	}
	first, err := checkpoint.ReadAll(views[0], "w")
	if err != nil {
		t.Fatal(err)
	}
	if second, err := checkpoint.ReadAll(views[1], "w"); err != nil || !slices.Equal(first, second) {
		t.Errorf("the same input twice: %v and %v (%v)", first, second, err)
	}
	id, _ := m.out.ID("three") // a alone has it
	if got, want := first[3*id:3*id+3], stored3(t, inputs[0], 2); !slices.Equal(got, want) {
		t.Errorf("three: %v, want a's %v", got, want)
	}
}

func stored3(t *testing.T, in Input, row int) []float32 {
	t.Helper()
	got := make([]float32, 3)
	if err := in.Source.Read(in.Name, 3*row, got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAlignRefuses(t *testing.T) {
	m, inputs := wide(t, 3)
	ints, err := checkpoint.NewIntegers("w", checkpoint.I8, []int{4, 3}, make([]int64, 12))
	if err != nil {
		t.Fatal(err)
	}
	integers, err := checkpoint.NewMemory(ints)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		in   Input
		want string
	}{
		{"missing", Input{1, inputs[1].Source, "v"}, `b: tensor "v": not present`},
		{"other width", Input{1, weights(t, 1, "w", 4, 2), "w"}, `b: tensor "w": shape [4 2], want that of a but for its rows: [6 3]`},
		{"scalar", Input{1, weights(t, 1, "w"), "w"}, `b: tensor "w": shape []`},
		{"too few rows", Input{1, weights(t, 1, "w", 3, 3), "w"}, `b: tensor "w": 3 rows, but token "one" has row 3`},
		{"integers", Input{1, integers, "w"}, `b: tensor "w": dtype I8, want floats`},
	} {
		_, err := m.Align([]Input{inputs[0], test.in}, -1)
		if !errors.Is(err, checkpoint.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}

// TestHugeID: a vocabulary whose ids no model has rows for is refused before anything of that size is made.
func TestHugeID(t *testing.T) {
	tok, err := Load(inMemory(checkpoint.SideFile{Name: mainFile, Data: []byte(`{"model":{"type":"WordLevel","vocab":{"a":0,"b":1073741823}}}`)}))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Build([]Model{{Name: "a", Tokenizer: tok}}, 0, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Align([]Input{{0, weights(t, 1, "w", 3, 2), "w"}}, 0); !errors.Is(err, checkpoint.ErrInvalid) {
		t.Errorf("ids up to 2^30-1 and 3 rows: %v", err)
	}
	if m, err = Build([]Model{{Name: "a", Tokenizer: tok, VocabSize: 3}}, 0, Config{}); err != nil || m.Size() != 1 {
		t.Errorf("with 3 rows: %d, want the one token that has a row (%v)", m.Size(), err)
	}
}

var errDisk = errors.New("disk on fire")

type failing struct{ checkpoint.Source }

func (failing) Read(string, int, []float32) error { return errDisk }

func TestReadErrors(t *testing.T) {
	m, inputs := wide(t, 3)
	inputs[2].Source = failing{inputs[2].Source}
	views, err := m.Align(inputs, -1)
	if err != nil {
		t.Fatal(err)
	}
	for i, token := range []string{"six", "seven"} { // a mean, and the row of the only owner
		id, _ := m.out.ID(token)
		if err := views[i].Read("w", 3*id, make([]float32, 2)); !errors.Is(err, errDisk) || !strings.HasPrefix(err.Error(), "c: ") {
			t.Errorf("%s: %v", token, err)
		}
	}
	if err := views[2].Read("w", 3*m.Size()-3, make([]float32, 3)); !errors.Is(err, errDisk) {
		t.Errorf("padding: %v", err)
	}
	for _, bad := range []struct {
		name      string
		offset, n int
	}{{"v", 0, 1}, {"w", -1, 1}, {"w", 30, 1}, {"w", 0, 31}, {"w", math.MaxInt, 1}} {
		if err := views[0].Read(bad.name, bad.offset, make([]float32, bad.n)); !errors.Is(err, checkpoint.ErrInvalid) {
			t.Errorf("Read(%q, %d, %d): %v", bad.name, bad.offset, bad.n, err)
		}
	}
}
