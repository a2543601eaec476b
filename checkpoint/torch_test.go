package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// torchDir has what PyTorch wrote, and the same tensors as safetensors.
const torchDir = "torchfile/testdata"

// folder is a directory with files of torchDir under other names.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, from := range files {
		data, err := os.ReadFile(filepath.Join(torchDir, from))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A model has one hash, whatever file it is in.
func TestTorchFilesHashAsSafetensors(t *testing.T) {
	for _, c := range []struct{ torch, same string }{
		{"types.bin", "types"}, {"types-legacy.bin", "types"}, {"types-protocol4.bin", "types"}, {"types-protocol5-legacy.bin", "types"},
		{"views.bin", "views"}, {"views-legacy.bin", "views"}, {"module.bin", "module"}, {"module-legacy.bin", "module"},
		{"fairseq.bin", "fairseq"}, {"fairseq-legacy.bin", "fairseq"}, {"lightning.bin", "fairseq"}, {"small-zip32.bin", "small"},
		{"sharded", "sharded"}, {"sharded/pytorch_model.bin.index.json", "sharded"},
	} {
		got, want := open(t, filepath.Join(torchDir, c.torch)), open(t, filepath.Join(torchDir, c.same+".safetensors"))
		if a, b := hash(t, got), hash(t, want); a != b {
			t.Errorf("%s: hash %s, want %s", c.torch, a, b)
		}
		joined, err := Union(Prefix(Select(got, func(string) bool { return true }), "x."))
		if err != nil {
			t.Fatal(err)
		}
		if a, b := hash(t, joined), hash(t, Prefix(want, "x.")); a != b {
			t.Errorf("%s: hash %s when renamed, want %s", c.torch, a, b)
		}
		out := filepath.Join(t.TempDir(), "copy.safetensors")
		if err := Write(t.Context(), out, got, WriteOptions{}); err != nil {
			t.Error(err)
			continue
		}
		if a, b := hash(t, open(t, out)), hash(t, want); a != b {
			t.Errorf("%s: hash %s when written, want %s", c.torch, a, b)
		}
	}
}

// Every ending that files of torch.save have is read.
func TestTorchFileNames(t *testing.T) {
	dir := folder(t, map[string]string{"a.bin": "small.bin", "a.pt": "small.bin", "a.pth": "small-legacy.bin", "a.ckpt": "fairseq.bin"})
	for _, name := range []string{"a.bin", "a.pt", "a.pth", "a.ckpt"} {
		m := open(t, filepath.Join(dir, name))
		if len(m.Tensors()) == 0 || m.Dir() != "" || len(m.Metadata()) > 0 {
			t.Errorf("%s: %d tensors, directory %q, metadata %q", name, len(m.Tensors()), m.Dir(), m.Metadata())
		}
	}
}

// Of several files in a directory the one that transformers reads is read.
func TestOpenPrefersSafetensors(t *testing.T) {
	const shard1, shard2 = "pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"
	files := map[string]string{
		weightsName: "fairseq.safetensors", pickleName: "small.bin",
		pickleIndexName: "sharded/" + pickleIndexName, shard1: "sharded/" + shard1, shard2: "sharded/" + shard2,
	}
	for _, want := range []struct {
		name    string
		tensors int
	}{{weightsName, 3}, {pickleName, 1}, {pickleIndexName, 4}} {
		dir := folder(t, files)
		m := open(t, dir)
		if len(m.Tensors()) != want.tensors || m.Dir() != dir {
			t.Errorf("with %d files: %d tensors, want the %d of %s", len(files), len(m.Tensors()), want.tensors, want.name)
		}
		r, err := Verify(t.Context(), dir, VerifyOptions{})
		if err != nil || r.Tensors != want.tensors || len(r.Broken) > 0 {
			t.Errorf("%s: %+v, %v", want.name, r, err)
		}
		if sides, err := m.SideFiles(); err != nil || len(sides) > 0 {
			t.Errorf("%s: side files %v, %v", want.name, sides, err)
		}
		delete(files, want.name)
	}
}

func TestLabels(t *testing.T) {
	m := open(t, torchDir+"/labels.bin")
	got, raw, err := m.Labels()
	if err != nil || raw || len(got) != 2 || !slices.Equal(got[1], []string{"<s>", "<pad>", "</s>", "<unk>", "2", "0", "1"}) {
		t.Errorf("%q, %v; want two, the second not in order", got, err)
	}
	for _, other := range []string{"fairseq.bin", "fairseq.safetensors", "sharded"} {
		if got, raw, err := open(t, filepath.Join(torchDir, other)).Labels(); got != nil || raw || err != nil {
			t.Errorf("%s: %q, %v; want none", other, got, err)
		}
	}
	m.Close()
	if _, _, err := m.Labels(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestStridedTensors(t *testing.T) {
	m, want := open(t, torchDir+"/views.bin"), open(t, torchDir+"/views.safetensors")
	if _, err := m.Raw("transposed"); !errors.Is(err, errors.ErrUnsupported) || !contains(err, `views.bin: tensor "transposed": a strided view`) {
		t.Errorf("Raw: %v, want errors.ErrUnsupported", err)
	}
	raw, err := m.Raw("row")
	if same, _ := want.Raw("row"); err != nil || !slices.Equal(raw, same) {
		t.Errorf("Raw of a row: % x, %v; want % x", raw, err, same)
	}
	for _, info := range m.Tensors() {
		if info.DType.opaque() {
			continue
		}
		n := info.Elements()
		for lo := 0; lo <= n; lo += 1 + n/5 {
			got, same := make([]float32, n-lo), make([]float32, n-lo)
			if err := errors.Join(m.Read(info.Name, lo, got), want.Read(info.Name, lo, same)); err != nil || !slices.Equal(got, same) {
				t.Errorf("%s from %d on: %v, %v; want %v", info.Name, lo, got, err, same)
			}
		}
		if err := m.Read(info.Name, n, make([]float32, 1)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: read beyond the end: %v", info.Name, err)
		}
	}
	got, err := ReadIntegers(m, "integers")
	if want := []int64{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}; err != nil || !slices.Equal(got, want) {
		t.Errorf("integers %v, %v; want %v", got, err, want)
	}
	if err := m.Read("complex", 0, make([]float32, 1)); !errors.Is(err, ErrInvalid) || !contains(err, `tensor "complex": from element 0`) {
		t.Errorf("read of a complex tensor: %v", err)
	}
}

// A long strided tensor is read in pieces that fit together.
func TestStridedReadInBlocks(t *testing.T) {
	m := open(t, torchDir+"/long.bin")
	values, err := ReadAll(m, "w")
	if err != nil || len(values) != 3*7000 {
		t.Fatalf("%d values, %v; want 21000", len(values), err)
	}
	for i, v := range values {
		if want := float32((i%3*7000 + i/3) % 256); v != want { // as make.py counts
			t.Fatalf("element %d: %v, want %v", i, v, want)
		}
	}
}

// Rules of files of torch.save are rules like others.
func TestTorchRules(t *testing.T) {
	for name, rule := range map[string]string{
		"deflated.bin": "torch-compressed", "bigendian.bin": "torch-byte-order", "deep.bin": "torch-contents", "sparse.bin": "torch-class",
		"complex128.bin": "torch-dtype", "conjugated.bin": "torch-tensor", "protocol0.bin": "torch-pickle",
	} {
		path := filepath.Join(torchDir, name)
		m, err := Open(path)
		if m != nil || Rule(err) != rule || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%s: %v of rule %q, want rule %q", name, err, Rule(err), rule)
		}
		r, err := Verify(t.Context(), path, VerifyOptions{})
		if err != nil || len(r.Broken) != 1 || r.Broken[0].Rule != rule {
			t.Errorf("%s: %+v, %v; want the rule %q broken", name, r, err, rule)
		}
	}
}

func TestVerifyTorchShards(t *testing.T) {
	const shard1, shard2 = "pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"
	all := map[string]string{pickleIndexName: "sharded/" + pickleIndexName, shard1: "sharded/" + shard1, shard2: "sharded/" + shard2}
	for _, c := range []struct {
		name, file, from string
		rule, text       string
	}{
		{"shard missing", shard2, "", RuleShardMissing, "names " + shard2 + ", which is not there"},
		{"shards exchanged", shard2, "sharded/" + shard1, RuleShardTensor, `tensor "a.weight": in ` + shard2 + " too"},
		{"shard broken", shard2, "deflated.bin", "torch-compressed", "method 8"},
		{"shard left over", "pytorch_model-00003-of-00003.bin", "small.bin", RuleLeftover, "left over"},
	} {
		dir := folder(t, all)
		if c.from == "" {
			if err := os.Remove(filepath.Join(dir, c.file)); err != nil {
				t.Fatal(err)
			}
		} else if data, err := os.ReadFile(filepath.Join(torchDir, c.from)); err != nil || os.WriteFile(filepath.Join(dir, c.file), data, 0o666) != nil {
			t.Fatal(err)
		}
		r, err := Verify(t.Context(), dir, VerifyOptions{})
		if err != nil || !slices.ContainsFunc(r.Broken, func(b Broken) bool { return b.Rule == c.rule && strings.Contains(b.Message, c.text) }) {
			t.Errorf("%s: %+v, %v; want the rule %q broken, %q", c.name, r, err, c.rule, c.text)
		}
	}
	dir := folder(t, map[string]string{pickleIndexName: "sharded/" + pickleIndexName, shard1: "sharded/" + shard1, shard2: "sharded/" + shard2, pickleName: "small.bin"})
	if r, err := Verify(t.Context(), filepath.Join(dir, pickleIndexName), VerifyOptions{}); err != nil || len(r.Broken) != 1 || r.Broken[0].Rule != RuleLeftover {
		t.Errorf("a whole model beside its shards: %+v, %v", r, err)
	}
}

// A file that is cut short while it is mapped gives errors, not the end of the process.
func TestTorchFileTruncatedWhileMapped(t *testing.T) {
	path := filepath.Join(folder(t, map[string]string{"m.bin": "long.bin"}), "m.bin")
	m := open(t, path)
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	if err := m.Read("w", 20000, make([]float32, 1000)); mapped && !errors.Is(err, ErrInvalid) {
		t.Errorf("Read: %v, want ErrInvalid", err)
	}
	if _, err := Hash(m); mapped && !errors.Is(err, ErrInvalid) {
		t.Errorf("Hash: %v, want ErrInvalid", err)
	}
	m.Close()
	if err := m.Read("w", 0, make([]float32, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Read after Close: %v", err)
	}
	if _, err := Hash(m); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Hash after Close: %v", err)
	}
}
