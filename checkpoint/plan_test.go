package checkpoint

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// fake is a source that lists what it likes.
type fake struct {
	infos []Info
	raw   []byte
}

func (f fake) Tensors() []Info { return f.infos }
func (f fake) Read(name string, _ int, _ []float32) error {
	return fmt.Errorf("%s: nothing here", name)
}
func (f fake) Raw(string) ([]byte, error) { return f.raw, nil }

func TestSplit(t *testing.T) {
	sized := func(sizes ...int64) (list []entry) {
		for i, n := range sizes {
			list = append(list, entry{Info: Info{Name: fmt.Sprint(i)}, end: n})
		}
		return list
	}
	for _, c := range []struct {
		name  string
		limit int64
		sizes []int64
		want  []int // tensors a shard
	}{
		{"nothing", 10, nil, []int{0}},
		{"no limit", 0, []int64{5, 500}, []int{2}},
		{"exact", 10, []int64{4, 6, 10, 1}, []int{2, 1, 1}},
		{"too large alone", 10, []int64{1, 50, 1, 1}, []int{1, 1, 2}},
		{"empty tensors", 10, []int64{10, 0, 0, 1}, []int{3, 1}},
		{"first too large", 1, []int64{2, 2}, []int{1, 1}},
	} {
		var got []int
		for _, shard := range split(sized(c.sizes...), c.limit) {
			got = append(got, len(shard))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v tensors a shard, want %v", c.name, got, c.want)
		}
	}
}

// Wide types come first, so that every tensor is aligned to its size; names decide within a width.
func TestLayoutAligns(t *testing.T) {
	var tensors []entry
	for i, dtype := range []DType{U8, F32, Bool, I64, BF16, F64, F16, U32} {
		tensors = append(tensors, entry{Info: Info{fmt.Sprint("t", 9-i), dtype, []int{3}}, end: int64(3 * dtype.Size())})
	}
	l := newLayout(tensors, nil)
	var names []string
	for _, e := range l.entries {
		names = append(names, e.Name)
		if at := int64(len(l.header)) + e.begin; at%int64(e.DType.Size()) != 0 {
			t.Errorf("%s %s starts at byte %d of the file", e.Name, e.DType, at)
		}
	}
	if want := "t4 t6 t2 t8 t3 t5 t7 t9"; strings.Join(names, " ") != want {
		t.Errorf("order %s, want %s", names, want)
	}
	if l.data != 3*(8+8+4+4+2+2+1+1) {
		t.Errorf("%d bytes of data, want 90", l.data)
	}
}

func TestHeaderSpelling(t *testing.T) {
	l := newLayout([]entry{{Info{"w", F32, []int{2, 3}}, 0, 24}, {Info{"s", BF16, nil}, 0, 2}}, map[string]string{"z": "1", "a": "\""})
	want := `{"__metadata__":{"a":"\"","z":"1"},"s":{"dtype":"BF16","shape":[],"data_offsets":[24,26]},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}`
	if got := strings.TrimRight(string(l.header[8:]), " "); got != want {
		t.Errorf("header\n%s\nwant\n%s", got, want)
	}
	if n := int(l.header[0]) | int(l.header[1])<<8; n != len(l.header)-8 || n%8 != 0 {
		t.Errorf("length %d for %d bytes, want equal and a multiple of 8", n, len(l.header)-8)
	}
}

// Sources that contradict themselves are found before anything is written.
func TestPlanRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		src  fake
		opts WriteOptions
		text string
	}{
		{"listed twice", fake{infos: []Info{{"a", F32, nil}, {"a", F32, nil}}}, WriteOptions{}, "listed twice"},
		{"unknown dtype", fake{infos: []Info{{"a", "F3", nil}}}, WriteOptions{}, "cannot be written"},
		{"negative shape", fake{infos: []Info{{"a", F32, []int{-1}}}}, WriteOptions{}, "cannot be written"},
		{"overflow", fake{infos: []Info{{"a", F32, []int{1 << 40, 1 << 40}}}}, WriteOptions{}, "cannot be written"},
		{"overflow when widened", fake{infos: []Info{{"a", BF16, []int{1 << 61}}}}, WriteOptions{DType: F64}, "cannot be written"},
		{"metadata's name", fake{infos: []Info{{"__metadata__", F32, nil}}}, WriteOptions{}, "cannot be stored"},
		{"raw bytes of another size", fake{[]Info{{"a", I64, []int{2}}}, make([]byte, 8)}, WriteOptions{}, "source has 8 bytes, want 16 for I64 [2]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := plan(c.src, c.opts); !errors.Is(err, ErrInvalid) || !contains(err, c.text) {
				t.Errorf("error %v, want one that says %q", err, c.text)
			}
		})
	}
}

func TestPlanNamesShards(t *testing.T) {
	src := memory(t, Tensor{Name: "a", Data: []float32{1}}, Tensor{Name: "b", Data: []float32{1}})
	for limit, want := range map[int64]string{0: "model.safetensors", 8: "model.safetensors", 4: "model-00001-of-00002.safetensors model-00002-of-00002.safetensors"} {
		files, err := plan(src, WriteOptions{ShardBytes: limit})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, l := range files {
			names = append(names, l.name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("shards of %d bytes: %s, want %s", limit, got, want)
		}
	}
}

// TestPlanNamesWeights: an adapter's file has another name, and no shards.
func TestPlanNamesWeights(t *testing.T) {
	src := memory(t, Tensor{Name: "a", Data: []float32{1}})
	files, err := Layout("adapter", src, WriteOptions{Weights: "adapter_model.safetensors"})
	if err != nil || len(files) != 1 || files[0].Name != "adapter_model.safetensors" {
		t.Errorf("files %v, %v", files, err)
	}
	for _, opts := range []WriteOptions{{Weights: "a.safetensors", ShardBytes: 1}, {Weights: "../a.safetensors"}, {Weights: "a.bin"},
		{Weights: "a.safetensors", SideFiles: []SideFile{{Name: "a.safetensors"}}}} {
		if _, err := plan(src, opts); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "weights file") {
			t.Errorf("%q: error %v", opts.Weights, err)
		}
	}
}
