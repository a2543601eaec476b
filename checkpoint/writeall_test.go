package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Outputs of one pass have the bytes that each has when it is written alone: other types, shards, shapes, and lists of tensors.
func TestWriteAllEqualsEachAlone(t *testing.T) {
	dir := t.TempDir()
	whole := large(t)
	floats := struct{ Source }{Select(whole, func(name string) bool { return name != "ids" })}
	other := memory(t, Tensor{Name: "big", Shape: []int{3}, Data: []float32{1, 2, 3}}, Tensor{Name: "zero", Shape: []int{0}, Data: nil})
	outputs := []Output{
		{"a", whole, WriteOptions{Digest: true}},
		{"b.safetensors", floats, WriteOptions{DType: BF16, Digest: true}},
		{"c", floats, WriteOptions{DType: F64, ShardBytes: 1 << 20}},
		{"d", other, WriteOptions{SideFiles: []SideFile{{"config.json", []byte("{}")}}}},
		{"e", memory(t), WriteOptions{Digest: true}},
		{"f.safetensors", random(t, 1), WriteOptions{}},
	}
	all := slices.Clone(outputs)
	for i, o := range outputs {
		all[i].Path = filepath.Join(dir, "all", o.Path)
		if err := Write(t.Context(), filepath.Join(dir, "alone", o.Path), o.Source, o.Options); err != nil {
			t.Fatal(err)
		}
	}
	written, err := WriteAll(t.Context(), all...)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := contents(t, filepath.Join(dir, "all")), contents(t, filepath.Join(dir, "alone")); strings.ReplaceAll(got, "/all", "/alone") != want {
		t.Errorf("files\n%s\nwant\n%s", got, want)
	}
	for i, w := range written {
		m := open(t, w.Path)
		digests, err := Digests(t.Context(), m, nil)
		if err != nil || w.Path != all[i].Path {
			t.Fatal(err, w.Path)
		}
		if !outputs[i].Options.Digest {
			digests = nil
		}
		if !slices.EqualFunc(w.Tensors, digests, sameDigest) {
			t.Errorf("%s: digests %v, want %v", outputs[i].Path, w.Tensors, digests)
		}
		layout, err := Layout(w.Path, all[i].Source, all[i].Options)
		if err != nil || !slices.Equal(w.Files, layout) {
			t.Errorf("%s: files %v, want %v, %v", w.Path, w.Files, layout, err)
		}
		for _, f := range w.Files {
			path := filepath.Join(w.Path, f.Name)
			if strings.HasSuffix(w.Path, ".safetensors") {
				path = f.Name
			}
			if info, err := os.Stat(path); err != nil || info.Size() != f.Bytes {
				t.Errorf("%s: %v, %v, want %d bytes", path, info, err, f.Bytes)
			}
		}
	}
}

func sameDigest(a, b TensorDigest) bool {
	return a.Name == b.Name && a.DType == b.DType && slices.Equal(a.Shape, b.Shape) && a.SHA256 == b.SHA256
}

// ordered notes the ranges that are read.
type ordered struct {
	Source
	mu    *sync.Mutex
	reads *[]string
}

func (o ordered) Read(name string, offset int, dst []float32) error {
	o.mu.Lock()
	*o.reads = append(*o.reads, fmt.Sprint(name, " ", offset))
	o.mu.Unlock()
	return o.Source.Read(name, offset, dst)
}

// Each range is read for one output right after the other.
func TestWriteAllReadsRangesTogether(t *testing.T) {
	infos := []Info{{"a", F32, []int{4 * stepElements}}, {"b", F32, []int{10}}}
	src := counted{infos, 1}
	var mu sync.Mutex
	var reads []string
	var outputs []Output
	for _, dtype := range []DType{BF16, F32, F16} {
		outputs = append(outputs, Output{filepath.Join(t.TempDir(), "m"), ordered{src, &mu, &reads}, WriteOptions{DType: dtype}})
	}
	defer setProcs(1)()
	if _, err := WriteAll(t.Context(), outputs...); err != nil {
		t.Fatal(err)
	}
	if len(reads) != 3*5 {
		t.Fatalf("%d reads, want 5 ranges for each of 3 outputs: %q", len(reads), reads)
	}
	for i := 0; i < len(reads); i += 3 {
		if reads[i] != reads[i+1] || reads[i] != reads[i+2] {
			t.Errorf("reads %q, want the same range three times", reads[i:i+3])
		}
	}
}

func TestWriteAllRefusesOutputsInEachOthersWay(t *testing.T) {
	dir := t.TempDir()
	src := memory(t, Tensor{Name: "x", Data: []float32{1}})
	at := func(name string) Output { return Output{Path: filepath.Join(dir, name), Source: src} }
	for _, c := range []struct {
		outputs []Output
		text    string
	}{
		{[]Output{at("a"), at("b"), at("a")}, "two outputs of one path"},
		{[]Output{at("a"), at("x/../a")}, "two outputs of one path"},
		{[]Output{at("a/b.safetensors"), at("a")}, "an output inside of the output"},
		{[]Output{at("a"), at("a/b/c")}, "an output inside of the output"},
	} {
		if _, err := WriteAll(t.Context(), c.outputs...); !contains(err, c.text) {
			t.Errorf("error %v, want one that says %q", err, c.text)
		}
	}
	if list, _ := os.ReadDir(dir); len(list) > 0 {
		t.Errorf("left %v", list)
	}
	if written, err := WriteAll(t.Context()); err != nil || len(written) != 0 {
		t.Errorf("no outputs: %v, %v", written, err)
	}
}

// An output that appears meanwhile stops all: those that were renamed before it are taken back.
func TestWriteAllTakesBack(t *testing.T) {
	dir := oldOutputs(t)
	before := contents(t, dir)
	last := filepath.Join(dir, "taken")
	outputs := jobs(dir)["four at once"]
	src, opts := generation(1)
	opts.Force = false
	outputs = append(outputs, Output{last, src, opts})
	renames := 0
	d := &disk{before: func(op, path string) error {
		if op == "rename" {
			if renames++; path == last {
				return os.Mkdir(last, 0o777)
			}
		}
		return nil
	}}
	_, err := writeAll(t.Context(), d, outputs)
	if !errors.Is(err, fs.ErrExist) || renames != 5 {
		t.Errorf("%d renames, error %v, want 5 and fs.ErrExist", renames, err)
	}
	if err := os.Remove(last); err != nil {
		t.Fatal(err)
	}
	if after := contents(t, dir); after != before {
		t.Errorf("directory changed from\n%s\nto\n%s", before, after)
	}
}

// A proof is made from what was written, and appears with it or not at all.
func TestProof(t *testing.T) {
	dir := t.TempDir()
	src := large(t)
	path := filepath.Join(dir, "m")
	opts := WriteOptions{Digest: true, SideFiles: []SideFile{{"config.json", nil}}, Proof: func(w Written) ([]SideFile, error) {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the output is there before its proof: %v", err)
		}
		return []SideFile{{"lock", []byte(w.Tensors[0].SHA256)}}, nil
	}}
	written, err := WriteAll(t.Context(), Output{path, src, opts})
	if err != nil {
		t.Fatal(err)
	}
	lock, err := os.ReadFile(filepath.Join(path, "lock"))
	if want, digestErr := Digest(src, "big"); err != nil || digestErr != nil || string(lock) != want || written[0].Tensors[0].SHA256 != want {
		t.Errorf("lock %q, %v, want %s, %v", lock, err, want, digestErr)
	}
	before := contents(t, dir)
	opts.Force = true
	boom := errors.New("boom")
	for name, proof := range map[string]func(Written) ([]SideFile, error){
		"boom":                    func(Written) ([]SideFile, error) { return nil, boom },
		`side file "config.json"`: func(Written) ([]SideFile, error) { return []SideFile{{"config.json", nil}}, nil },
		`side file ".resume`:      func(Written) ([]SideFile, error) { return []SideFile{{journalName, nil}}, nil },
	} {
		opts.Proof = proof
		if err := Write(t.Context(), path, src, opts); !contains(err, name) {
			t.Errorf("error %v, want one that says %q", err, name)
		}
		if contents(t, dir) != before {
			t.Errorf("%s: the directory changed", name)
		}
	}
}
