package encodec

import (
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

const seed = "encodec-20261125:" // of testdata/make_encodec.py

// recipe is the formula of testdata/make_encodec.py, which also says what it is for.
func recipe(name string, n int) []float32 {
	scales := []struct {
		end string
		exp int
	}{
		{"bias", -3}, {"original0", 0}, {"original1", 0}, {"codebook.embed", 2}, {"samples", -2},
		{"weight_ih_l0", -4}, {"weight_hh_l0", -4}, {"weight_ih_l1", -4}, {"weight_hh_l1", -4},
		{"bias_ih_l0", -3}, {"bias_hh_l0", -3}, {"bias_ih_l1", -3}, {"bias_hh_l1", -3},
	}
	at := slices.IndexFunc(scales, func(s struct {
		end string
		exp int
	}) bool {
		return strings.HasSuffix(name, s.end)
	})
	scale := float32(math.Ldexp(1, scales[at].exp))
	values, start := make([]float32, n), crc32.ChecksumIEEE([]byte(seed+name))
	for i := range values {
		h := uint32(i)*2654435761 + start
		h ^= h >> 16
		h *= 0x85ebca6b
		h ^= h >> 13
		h *= 0xc2b2ae35
		h ^= h >> 16
		v := float32(h>>8)/(1<<23) - 1
		if strings.HasSuffix(name, "original0") {
			v = 1.5 + v*0.5
		}
		values[i] = v * scale
	}
	return values
}

// caseConfig reads the config.json of a case.
func caseConfig(t testing.TB, name string) Config {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// caseTensors are the weights of a case, under transformers' present names.
func caseTensors(name string, cfg Config) []checkpoint.Tensor {
	var list []checkpoint.Tensor
	for _, w := range cfg.weights() {
		n := 1
		for _, d := range w.shape {
			n *= d
		}
		list = append(list, checkpoint.Tensor{Name: w.name, Shape: w.shape, Data: recipe(name+":"+w.name, n)})
	}
	return list
}

func source(t testing.TB, list []checkpoint.Tensor) checkpoint.Source {
	t.Helper()
	m, err := checkpoint.NewMemory(list...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func caseEncoder(t testing.TB, name string) *Encoder {
	t.Helper()
	cfg := caseConfig(t, name)
	e, err := Load(cfg, source(t, caseTensors(name, cfg)))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func caseSamples(name string, n int) clip { return recipe(fmt.Sprintf("%s:%d:samples", name, n), n) }

var cases = map[string][]int{
	"dilated":  {1, 2, 3, 14, 15, 16, 31, 1000, 2003},
	"identity": {1, 7, 8, 9, 600, 1199},
	"24khz":    {1, 700, 48321},
}

const (
	// embeddingTolerance is relative to the largest embedding: sums of a few hundred float32 products, through an LSTM.
	embeddingTolerance = 1e-5
	// tiesAllowed is the share of frames whose first code may differ, which float32 near-ties can do.
	tiesAllowed = 1e-3
)

func TestAgainstTransformers(t *testing.T) {
	goldens, err := checkpoint.Open("testdata/goldens.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer goldens.Close()
	seen := 0
	for name, lengths := range cases {
		e := caseEncoder(t, name)
		for _, n := range lengths {
			seen++
			key := fmt.Sprintf("%s.%d", name, n)
			want, err := checkpoint.ReadIntegers(goldens, key+".codes")
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.Encode(t.Context(), caseSamples(name, n), 0)
			if err != nil {
				t.Fatal(err)
			}
			checkCodes(t, key, got, want)
			if _, ok := checkpoint.Find(goldens, key+".embedding"); ok {
				seen++
				want, err := checkpoint.ReadAll(goldens, key+".embedding")
				if err != nil {
					t.Fatal(err)
				}
				checkEmbedding(t, key, embeddings(t, e, caseSamples(name, n)), want)
			}
		}
	}
	if seen != len(goldens.Tensors()) {
		t.Errorf("%d goldens compared, the file has %d", seen, len(goldens.Tensors()))
	}
}

// checkCodes compares codes, [codebook][frame], with want in one piece. A frame that differs at one codebook is left alone at
// the deeper ones, which see another residual.
func checkCodes(t *testing.T, key string, got [][]int16, want []int64) {
	t.Helper()
	frames := len(got[0])
	if len(want) != len(got)*frames {
		t.Fatalf("%s: %d codebooks of %d frames, want %d codes", key, len(got), frames, len(want))
	}
	flipped := make([]bool, frames)
	first, all := 0, 0
	for q, row := range got {
		for f, code := range row {
			if !flipped[f] && int64(code) != want[q*frames+f] {
				flipped[f] = true
				all++
				if q == 0 {
					first++
				}
			}
		}
	}
	if float64(first) > tiesAllowed*float64(frames) || float64(all) > tiesAllowed*float64(len(want)) {
		t.Errorf("%s: of %d frames %d differ at the first codebook, %d anywhere", key, frames, first, all)
	}
}

func checkEmbedding(t *testing.T, key string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", key, len(got), len(want))
	}
	size := 0.0
	for _, v := range want {
		size = max(size, math.Abs(float64(v)))
	}
	for i := range want {
		if !(math.Abs(float64(got[i]-want[i])) <= embeddingTolerance*size) {
			t.Fatalf("%s: embedding %d is %v, want %v (the largest is %v)", key, i, got[i], want[i], size)
		}
	}
}

// embeddings are what goes into the quantiser, [frames][hidden].
func embeddings(t testing.TB, e *Encoder, samples clip) []float32 {
	t.Helper()
	var all []float32
	if err := e.embed(t.Context(), samples, len(samples), func(_ int, part []float32) { all = append(all, part...) }); err != nil {
		t.Fatal(err)
	}
	return all
}
