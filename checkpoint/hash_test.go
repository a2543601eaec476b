package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// setProcs sets the number of workers until the result is called.
func setProcs(n int) (restore func()) {
	before := runtime.GOMAXPROCS(n)
	return func() { runtime.GOMAXPROCS(before) }
}

// chunked is the digest by its definition, of bytes in memory.
func chunked(data []byte) string {
	all := sha256.New()
	for len(data) > 0 {
		n := min(1<<20, len(data))
		sum := sha256.Sum256(data[:n])
		all.Write(sum[:])
		data = data[n:]
	}
	return hex.EncodeToString(all.Sum(nil))
}

// Digests are as their definition says, of every type and at every length about a chunk's, whatever the number of workers, and
// whether the bytes are copied, computed or read back.
func TestDigestsAreAsDefined(t *testing.T) {
	var tensors []Tensor
	for i, n := range []int{0, 1, 1<<18 - 1, 1 << 18, 1<<18 + 1, 3 << 18, 1<<19 + 7} {
		data := make([]float32, n)
		for j := range data {
			data[j] = float32((i+j)%1021) / 8
		}
		tensors = append(tensors, Tensor{Name: fmt.Sprint("t", i), Shape: []int{n}, Data: data})
	}
	src := memory(t, tensors...)
	for _, dtype := range []DType{F64, F32, BF16, F16, F8E5M2} {
		for _, procs := range []int{1, 5} {
			restore := setProcs(procs)
			path := filepath.Join(t.TempDir(), "m")
			written, err := WriteAll(t.Context(), Output{path, struct{ Source }{src}, WriteOptions{DType: dtype, Digest: true, ShardBytes: 1 << 21}})
			if err != nil {
				t.Fatal(err)
			}
			m := open(t, path)
			read, err := Digests(t.Context(), m, nil)
			restore()
			if err != nil || !slices.EqualFunc(read, written[0].Tensors, sameDigest) {
				t.Errorf("%s, %d workers: read %v, %v; written %v", dtype, procs, read, err, written[0].Tensors)
			}
			for i, info := range m.Tensors() {
				raw, err := m.Raw(info.Name)
				if want := chunked(raw); err != nil || read[i].SHA256 != want || read[i].Name != info.Name || read[i].DType != dtype {
					t.Errorf("%s %s: digest %v, want %s, %v", dtype, info.Name, read[i], want, err)
				}
				if one, err := Digest(m, info.Name); err != nil || one != read[i].SHA256 {
					t.Errorf("%s %s: alone %s, %v, want %s", dtype, info.Name, one, err, read[i].SHA256)
				}
			}
		}
	}
}

// Elements of less than a byte, which are copied only, have digests of their bytes too.
func TestDigestOfNarrowTypes(t *testing.T) {
	for dtype, n := range map[DType]int{F6E2M3: 3<<20 + 4, F4: 2<<20 + 6, F8E8M0: 1<<20 + 1, C64: 1<<17 + 1} {
		raw := make([]byte, dtype.bytes(n))
		for i := range raw {
			raw[i] = byte(i * 7 >> 3)
		}
		src := fake{[]Info{{"x", dtype, []int{n}}}, raw}
		want := chunked(raw)
		if got, err := Digest(src, "x"); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", dtype, got, err, want)
		}
		written, err := WriteAll(t.Context(), Output{filepath.Join(t.TempDir(), "m"), src, WriteOptions{Digest: true}})
		if err != nil || written[0].Tensors[0].SHA256 != want {
			t.Errorf("%s: written %v, %v, want %s", dtype, written, err, want)
		}
	}
}

func TestHashIsAsDefined(t *testing.T) {
	src := memory(t, Tensor{Name: `b"é`, Shape: []int{2, 1}, Data: []float32{1, 2}}, integers(t, "a", U8, 7))
	b, err := src.Raw(`b"é`)
	if err != nil {
		t.Fatal(err)
	}
	text := "\"a\" U8 [1] " + chunked([]byte{7}) + "\n" + `"b\"é" F32 [2 1] ` + chunked(b) + "\n"
	want := sha256.Sum256([]byte(text))
	if got := hash(t, src); got != hex.EncodeToString(want[:]) {
		t.Errorf("hash %s, want %x", got, want)
	}
}

// What the numbers are kept in does not count; each number, type, shape and name does.
func TestHashTellsContentsApart(t *testing.T) {
	base := large(t)
	seen := map[string]string{hash(t, base): "base"}
	for limit, meta := range map[int64]map[string]string{0: nil, 1: {"a": "b"}, 1 << 20: nil} {
		path := filepath.Join(t.TempDir(), "m")
		if err := Write(t.Context(), path, base, WriteOptions{ShardBytes: limit, Metadata: meta}); err != nil {
			t.Fatal(err)
		}
		if seen[hash(t, open(t, path))] != "base" {
			t.Errorf("shards of %d bytes and metadata %v: another hash", limit, meta)
		}
	}
	values := func(change func([]float32)) []float32 {
		raw, err := ReadAll(base, "big")
		if err != nil {
			t.Fatal(err)
		}
		change(raw)
		return raw
	}
	same := values(func([]float32) {})
	swapped := values(func(x []float32) { // two chunks change places
		for i := range 1 << 18 {
			x[i], x[i+1<<18] = x[i+1<<18], x[i]
		}
	})
	for name, tensor := range map[string]Tensor{
		"first number": {Name: "big", Shape: []int{len(same)}, Data: values(func(x []float32) { x[0]++ })},
		"last number":  {Name: "big", Shape: []int{len(same)}, Data: values(func(x []float32) { x[len(x)-1]++ })},
		"order":        {Name: "big", Shape: []int{len(same)}, Data: swapped},
		"shape":        {Name: "big", Shape: []int{1, len(same)}, Data: same},
		"name":         {Name: "Big", Shape: []int{len(same)}, Data: same},
	} {
		h := hash(t, memory(t, tensor, Tensor{Name: "one", Data: same[5:6]}, integers(t, "ids", I64, 1<<53+1)))
		if other, ok := seen[h]; ok {
			t.Errorf("%s: the hash of %s", name, other)
		}
		seen[h] = name
	}
}

func TestDigestErrors(t *testing.T) {
	src := large(t)
	if _, err := Digest(src, "none"); !errors.Is(err, ErrInvalid) {
		t.Errorf("unknown name: %v, want ErrInvalid", err)
	}
	if _, err := Hash(struct{ Source }{src}); !errors.Is(err, ErrInvalid) || !contains(err, `tensor "ids": its source has no I64 as stored`) {
		t.Errorf("integers without Raw: %v, want ErrInvalid", err)
	}
	boom := errors.New("boom")
	if _, err := Hash(failing{Select(src, func(name string) bool { return name != "ids" }), boom}); !errors.Is(err, boom) {
		t.Errorf("a failing source: %v, want boom", err)
	}
	var last, all int64
	if _, err := Digests(t.Context(), src, func(done, total int64) { last, all = done, total }); err != nil || last != all || all != 4*(3<<18+17)+4+8 {
		t.Errorf("progress ended at %d of %d, %v", last, all, err)
	}
}
