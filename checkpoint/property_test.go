package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/nlpodyssey/safetensors"
)

// random makes a source of many small tensors: every rank to 3, zero dimensions, floats and integers.
func random(t *testing.T, seed uint64) *Memory {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 3))
	var tensors []Tensor
	for i := range 1 + r.IntN(30) {
		shape := make([]int, r.IntN(4))
		n := 1
		for d := range shape {
			shape[d] = r.IntN(6)
			n *= shape[d]
		}
		name := fmt.Sprintf("%c.%d.\"é\"", 'a'+rune(r.IntN(26)), i)
		if dtypes := []DType{I64, I32, I16, I8, U64, U32, U16, U8, Bool}; r.IntN(3) == 0 {
			values := make([]int64, n)
			for i := range values {
				values[i] = int64(r.IntN(2))
			}
			tensor, err := NewIntegers(name, dtypes[r.IntN(len(dtypes))], shape, values)
			if err != nil {
				t.Fatal(err)
			}
			tensors = append(tensors, tensor)
			continue
		}
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(r.NormFloat64())
		}
		tensors = append(tensors, Tensor{Name: name, Shape: shape, Data: data})
	}
	return memory(t, tensors...)
}

// Whatever is written reads back the same, in any container; types narrow once and stay.
func TestRandomRoundTrips(t *testing.T) {
	for seed := range uint64(20) {
		src := random(t, seed)
		want := hash(t, src)
		dir := t.TempDir()
		for i, limit := range []int64{0, 1, 200} {
			path := filepath.Join(dir, fmt.Sprint(i))
			if err := Write(t.Context(), path, src, WriteOptions{ShardBytes: limit}); err != nil {
				t.Fatal(err)
			}
			if got := hash(t, open(t, path)); got != want {
				t.Errorf("seed %d, shards of %d: hash %s, want %s", seed, limit, got, want)
			}
		}
		for _, dtype := range []DType{BF16, F16, F64} {
			once, twice := filepath.Join(dir, string(dtype)+"1.safetensors"), filepath.Join(dir, string(dtype)+"2.safetensors")
			if err := Write(t.Context(), once, src, WriteOptions{DType: dtype}); err != nil {
				t.Fatal(err)
			}
			narrow := open(t, once)
			if err := Write(t.Context(), twice, struct{ Source }{Select(narrow, func(name string) bool {
				info, _ := Find(narrow, name)
				return !info.DType.Integer()
			})}, WriteOptions{}); err != nil {
				t.Fatal(err)
			}
			again := open(t, twice)
			for _, info := range again.Tensors() {
				a, _ := narrow.Raw(info.Name)
				if b, _ := again.Raw(info.Name); string(a) != string(b) {
					t.Errorf("seed %d: %s %s changed when written by value", seed, dtype, info.Name)
				}
			}
		}
	}
}

// The library alone reads what is written.
func TestLibraryReadsOurs(t *testing.T) {
	for seed := range uint64(10) {
		src := random(t, seed)
		path := filepath.Join(t.TempDir(), "m.safetensors")
		if err := Write(t.Context(), path, src, WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		st, err := safetensors.Deserialize(data)
		if err != nil {
			t.Fatal(err)
		}
		if st.Len() != len(src.Tensors()) {
			t.Errorf("seed %d: %d tensors, want %d", seed, st.Len(), len(src.Tensors()))
		}
		for _, info := range src.Tensors() {
			view, ok := st.Tensor(info.Name)
			raw, _ := src.Raw(info.Name)
			if !ok || view.DType().String() != string(info.DType) || string(view.Data()) != string(raw) {
				t.Errorf("seed %d: %s differs", seed, info.Name)
			}
		}
	}
}

// A file cut at any byte, or with a bit turned in its header, is refused or has other contents; it never panics.
func TestDamagedFiles(t *testing.T) {
	whole, err := os.ReadFile("testdata/mixed.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := parseHeader(whole[:n]); !errors.Is(err, ErrInvalid) {
			t.Fatalf("cut at byte %d: error %v, want ErrInvalid", n, err)
		}
	}
	if _, err := parseHeader(append(whole[:len(whole):len(whole)], 0)); !contains(err, "trailing data") {
		t.Errorf("one byte more: %v", err)
	}
	end := 8 + int(binary.LittleEndian.Uint64(whole))
	for i := range end {
		for bit := range 8 {
			damaged := append([]byte(nil), whole...)
			damaged[i] ^= 1 << bit
			h, err := parseHeader(damaged)
			if err != nil && !errors.Is(err, ErrInvalid) {
				t.Fatalf("bit %d of byte %d: error %v, want ErrInvalid", bit, i, err)
			}
			if err == nil && i < 8 {
				t.Fatalf("bit %d of the header's length went unseen: %v", bit+8*i, h)
			}
		}
	}
}

// Where the two readers differ, the file is refused.
func TestReadersMustAgree(t *testing.T) {
	text := one(`"dtype":"U8","shape":[2],"data_offsets":[0,2]`)
	for _, c := range []struct {
		name    string
		entries []entry
		text    string
		ok      bool
	}{
		{"same", []entry{{Info{"w", U8, []int{2}}, 0, 2}}, text, true},
		{"dtype", []entry{{Info{"w", I8, []int{2}}, 0, 2}}, text, false},
		{"shape", []entry{{Info{"w", U8, []int{1, 2}}, 0, 2}}, text, false},
		{"place", []entry{{Info{"w", U8, []int{2}}, 2, 4}}, text, false},
		{"name", []entry{{Info{"v", U8, []int{2}}, 0, 2}}, text, false},
		{"number", nil, text, false},
		{"not read", nil, `{"w":{}}`, false},
	} {
		h := header{entries: c.entries}
		if err := h.crossCheck([]byte(c.text)); (err == nil) != c.ok || err != nil && (!errors.Is(err, ErrInvalid) || !contains(err, "disagree")) {
			t.Errorf("%s: error %v, want success: %v", c.name, err, c.ok)
		}
	}
}
