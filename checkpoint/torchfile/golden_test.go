package torchfile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// goldens are all files that PyTorch wrote, by name.
func goldens(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, pattern := range []string{"*.bin", "sharded/*.bin"} {
		names, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			short, _ := filepath.Rel("testdata", name)
			files[filepath.ToSlash(short)] = read(t, short)
		}
	}
	if len(files) != 31 {
		t.Fatalf("%d files in testdata, want the 30 that make.py writes and the one of make_labels.py", len(files))
	}
	return files
}

// wanted is a tensor as safetensors has it.
type wanted struct {
	DType   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
	bytes   []byte
}

// readWanted reads a safetensors file, which is known to be in order.
func readWanted(t *testing.T, name string) map[string]wanted {
	t.Helper()
	data := read(t, name+".safetensors")
	n := 8 + binary.LittleEndian.Uint64(data)
	var tensors map[string]wanted
	if err := json.Unmarshal(data[8:n], &tensors); err != nil {
		t.Fatal(err)
	}
	for name, w := range tensors {
		w.bytes = data[n:][w.Offsets[0]:w.Offsets[1]]
		tensors[name] = w
	}
	return tensors
}

// strided are the tensors of views.bin that are not in one piece.
var strided = []string{"column", "transposed", "block", "step", "permuted", "channels_last", "outer", "expanded", "inner", "windows", "integers", "halves", "bytes", "flags", "doubles", "complex"}

// What PyTorch wrote in each of its ways is what safetensors has of the same tensors, to the byte, read whole and in parts.
func TestGoldens(t *testing.T) {
	for _, c := range []struct {
		want    string
		tensors int
		files   []string
	}{
		{"types", 22, []string{"types.bin", "types-legacy.bin", "types-protocol4.bin", "types-protocol5-legacy.bin"}},
		{"views", 23, []string{"views.bin", "views-legacy.bin"}},
		{"module", 6, []string{"module.bin", "module-legacy.bin"}},
		{"fairseq", 3, []string{"fairseq.bin", "fairseq-legacy.bin", "lightning.bin"}},
		{"small", 1, []string{"small.bin", "small-legacy.bin", "small-zip32.bin"}},
	} {
		want := readWanted(t, c.want)
		for _, file := range c.files {
			data := read(t, file)
			tensors, err := Parse(data)
			if err != nil || len(tensors) != len(want) || len(want) != c.tensors {
				t.Errorf("%s: %d tensors, %v; want %d", file, len(tensors), err, c.tensors)
				continue
			}
			for _, got := range tensors {
				w, ok := want[got.Name]
				if !ok || got.DType != w.DType || !slices.Equal(got.Shape, w.Shape) {
					t.Errorf("%s: %q: %s %d, want %s %d", file, got.Name, got.DType, got.Shape, w.DType, w.Shape)
					continue
				}
				if c.want == "views" && slices.Contains(strided, got.Name) != (got.Bytes == nil) {
					t.Errorf("%s: %q: in one piece: %v", file, got.Name, got.Bytes != nil)
				}
				checkParts(t, file, &got, w.bytes)
			}
		}
	}
}

// checkParts gathers every range of a small tensor, and some of a larger one.
func checkParts(t *testing.T, file string, got *Tensor, want []byte) {
	t.Helper()
	n := len(want) / got.size
	stride := 1 + n/16
	for lo := 0; lo <= n; lo += stride {
		for hi := lo; hi <= n; hi += stride {
			part := make([]byte, (hi-lo)*got.size)
			got.Gather(part, lo)
			if !bytes.Equal(part, want[lo*got.size:hi*got.size]) {
				t.Errorf("%s: %q: elements [%d %d): % x, want % x", file, got.Name, lo, hi, part, want[lo*got.size:hi*got.size])
				return
			}
		}
	}
	whole := make([]byte, len(want))
	got.Gather(whole, 0)
	if !bytes.Equal(whole, want) || got.Bytes != nil && !bytes.Equal(got.Bytes, want) {
		t.Errorf("%s: %q: % x, want % x", file, got.Name, whole, want)
	}
}

// Tensors are the file's own memory; tied ones the same.
func TestTensorsAreNotCopied(t *testing.T) {
	data := read(t, "views.bin")
	tensors, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	find := func(name string) *Tensor {
		i := slices.IndexFunc(tensors, func(t Tensor) bool { return t.Name == name })
		return &tensors[i]
	}
	base, tied, transposed := find("base"), find("tied"), find("transposed")
	before := base.Bytes[4*6] // of element [1 0]
	for i := range data {
		data[i]++
	}
	var one [4]byte
	transposed.Gather(one[:], 1)
	if want := before + 1; base.Bytes[4*6] != want || tied.Bytes[4*6] != want || one[0] != want {
		t.Errorf("after a change of the file: %d, %d and %d, want %d", base.Bytes[4*6], tied.Bytes[4*6], one[0], want)
	}
	if &base.Bytes[0] != &tied.Bytes[0] || cap(base.Bytes) != len(base.Bytes) {
		t.Error("tied tensors do not share memory, or have more of it than is theirs")
	}
}

func TestGatherOutsidePanics(t *testing.T) {
	tensors, err := Parse(read(t, "views.bin"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range tensors {
		for _, c := range []struct{ element, count int }{{1000, 1}, {0, 1000}} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: %d elements from %d on: no panic", tensor.Name, c.count, c.element)
					}
				}()
				tensor.Gather(make([]byte, c.count*tensor.size), c.element)
			}()
		}
	}
}

// A transposed matrix of 3072 x 768.
func BenchmarkGather(b *testing.B) {
	w := Tensor{Shape: []int{768, 3072}, size: 4}
	content := make([]byte, 4*768*3072)
	if err := w.place(content, 0, []int{1, 768}, len(content)); err != nil {
		b.Fatal(err)
	}
	dst := make([]byte, len(content))
	b.SetBytes(int64(len(dst)))
	for b.Loop() {
		w.Gather(dst, 0)
	}
}
