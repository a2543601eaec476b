package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// tree lists a directory with contents, for before-and-after comparisons.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			fmt.Fprintln(&b, path)
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(&b, "%s %x\n", path, data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// large is a source of several blocks.
func large(t *testing.T) *Memory {
	data := make([]float32, 3*blockElements+17)
	for i := range data {
		data[i] = float32(i%4099) / 64
	}
	return memory(t, Tensor{Name: "big", Shape: []int{len(data)}, Data: data}, Tensor{Name: "one", Data: data[5:6]}, integers(t, "ids", I64, 1<<53+1))
}

// failing fails to read one tensor past its first block. It has no Raw.
type failing struct {
	Source
	err error
}

func (f failing) Read(name string, offset int, dst []float32) error {
	if name == "big" && offset > 0 {
		return f.err
	}
	return f.Source.Read(name, offset, dst)
}

func TestWriteSameBytesWhateverTheThreads(t *testing.T) {
	src := Select(large(t), func(name string) bool { return name != "ids" })
	var first []byte
	for _, n := range []int{1, 3, 8} {
		before := runtime.GOMAXPROCS(n)
		path := filepath.Join(t.TempDir(), "m.safetensors")
		err := Write(t.Context(), path, struct{ Source }{src}, WriteOptions{DType: BF16, Metadata: map[string]string{"b": "2", "a": "1"}})
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = data
		} else if !slices.Equal(first, data) {
			t.Errorf("%d threads give other bytes", n)
		}
	}
	if want := `{"__metadata__":{"a":"1","b":"2","format":"pt"},"big":{"dtype":"BF16"`; !strings.HasPrefix(string(first[8:]), want) {
		t.Errorf("header starts %q, want %q", first[8:80], want)
	}
}

func TestWriteConverts(t *testing.T) {
	src := memory(t, Tensor{Name: "x", Shape: []int{3}, Data: []float32{1, 1 + 1.0/512, -3e-7}}, integers(t, "n", I64, 1<<53+1))
	for _, c := range []struct {
		dtype DType
		want  []float32
	}{
		{"", []float32{1, 1 + 1.0/512, -3e-7}}, {F64, []float32{1, 1 + 1.0/512, -3e-7}},
		{BF16, []float32{1, 1, -0x1.42p-22}}, {F16, []float32{1, 1 + 1.0/512, -5 * 0x1p-24}},
	} {
		path := filepath.Join(t.TempDir(), "m.safetensors")
		if err := Write(t.Context(), path, src, WriteOptions{DType: c.dtype}); err != nil {
			t.Fatal(err)
		}
		m := open(t, path)
		got, err := ReadAll(m, "x")
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.dtype, got, err, c.want)
		}
		if info, _ := Find(m, "x"); info.DType != c.dtype && c.dtype != "" {
			t.Errorf("written as %s, want %s", info.DType, c.dtype)
		}
		if n, err := ReadIntegers(m, "n"); err != nil || n[0] != 1<<53+1 {
			t.Errorf("integer after writing as %s: %d, %v", c.dtype, n, err)
		}
	}
}

func TestWriteDirectory(t *testing.T) {
	src := memory(t, Tensor{Name: "a", Shape: []int{4}, Data: make([]float32, 4)}, Tensor{Name: "b", Shape: []int{8}, Data: make([]float32, 8)}, Tensor{Name: "c", Data: []float32{1}})
	path := filepath.Join(t.TempDir(), "deep", "er", "m")
	var done, total int64
	opts := WriteOptions{ShardBytes: 20, SideFiles: []SideFile{{"config.json", []byte("{}")}, {"model.py", nil}}, Progress: func(d, t int64) { done, total = d, t }}
	if err := Write(t.Context(), path, src, opts); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, item := range list {
		names = append(names, item.Name())
	}
	want := []string{"config.json", "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors", "model.py", "model.safetensors.index.json"}
	if !slices.Equal(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
	if done != 52 || total != 52 {
		t.Errorf("progress ended at %d of %d bytes, want 52 of 52", done, total)
	}
	m := open(t, path)
	if hash(t, m) != hash(t, src) {
		t.Error("contents differ after writing")
	}
	sides, err := m.SideFiles()
	if err != nil || len(sides) != 2 || sides[0].Name != "config.json" || string(sides[0].Data) != "{}" || sides[1].Name != "model.py" {
		t.Errorf("side files %v, %v", sides, err)
	}
	if data, err := m.SideFile("config.json"); err != nil || string(data) != "{}" {
		t.Errorf("config.json: %q, %v", data, err)
	}
	if _, err := m.SideFile("../config.json"); !errors.Is(err, ErrInvalid) {
		t.Errorf("side file above: %v", err)
	}
	if _, err := m.SideFile("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing side file: %v", err)
	}

	// Replacing by fewer shards leaves no old ones.
	opts.ShardBytes = 0
	opts.Force = true
	if err := Write(t.Context(), path, m, opts); err != nil {
		t.Fatal(err)
	}
	again := open(t, path)
	if left, _ := filepath.Glob(filepath.Join(path, "model*")); len(left) != 2 || hash(t, again) != hash(t, src) {
		t.Errorf("after replacing: %q", left)
	}
	if rest, _ := os.ReadDir(filepath.Dir(path)); len(rest) != 1 {
		t.Errorf("left beside the output: %v", rest)
	}
	if m.Dir() != path || m.Path() != path {
		t.Errorf("Dir %q, Path %q, want %q", m.Dir(), m.Path(), path)
	}
}

// Weights that are not the model's own stand beside it, and are not side files when it is read.
func TestOtherWeightsBesideTheModel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m")
	heads := SideFile{"heads.safetensors", []byte(file("{}", 0))}
	if err := Write(t.Context(), path, memory(t, Tensor{Name: "x", Data: []float32{1}}), WriteOptions{SideFiles: []SideFile{heads}}); err != nil {
		t.Fatal(err)
	}
	if m := open(t, path); len(m.Tensors()) != 1 {
		t.Errorf("tensors %v, want the model's one", m.Tensors())
	} else if sides, err := m.SideFiles(); err != nil || len(sides) != 0 {
		t.Errorf("side files %v, %v", sides, err)
	}
	open(t, filepath.Join(path, heads.Name))
}

func TestSingleFileHasNoSideFiles(t *testing.T) {
	m := open(t, "testdata/mixed.safetensors")
	if sides, err := m.SideFiles(); sides != nil || err != nil || m.Dir() != "" {
		t.Errorf("side files %v, %v, directory %q", sides, err, m.Dir())
	}
	if _, err := m.SideFile("make.py"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("side file of a single file: %v", err)
	}
}

// Each failure leaves the parent directory, with the old output in it, exactly as it was.
func TestWriteFailsClean(t *testing.T) {
	boom := errors.New("boom")
	src := large(t)
	floats := Select(src, func(name string) bool { return name != "ids" })
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		path string
		src  Source
		opts WriteOptions
		want error
		text string
	}{
		{"file exists", nil, "old.safetensors", src, WriteOptions{}, fs.ErrExist, "old.safetensors"},
		{"directory exists", nil, "old", src, WriteOptions{}, fs.ErrExist, "old"},
		{"file over directory", nil, "dir.safetensors", src, WriteOptions{Force: true}, fs.ErrExist, "a directory"},
		{"directory over file", nil, "plain", src, WriteOptions{Force: true}, fs.ErrExist, "a file"},
		{"not a model directory", nil, "notes", src, WriteOptions{Force: true}, fs.ErrExist, "not a model directory"},
		{"directory with directories", nil, "deep", src, WriteOptions{Force: true}, fs.ErrExist, "holds the directory sub"},
		{"read fails, new file", nil, "x/y/new.safetensors", failing{floats, boom}, WriteOptions{DType: F16}, boom, "boom"},
		{"read fails, new directory", nil, "x/y/new", failing{floats, boom}, WriteOptions{}, boom, "boom"},
		{"read fails, old file", nil, "old.safetensors", failing{floats, boom}, WriteOptions{Force: true}, boom, "boom"},
		{"read fails, old directory", nil, "old", failing{floats, boom}, WriteOptions{Force: true}, boom, "boom"},
		{"cancelled file", cancelled, "new.safetensors", src, WriteOptions{}, context.Canceled, ""},
		{"cancelled directory", cancelled, "old", src, WriteOptions{Force: true, ShardBytes: 1}, context.Canceled, ""},
		{"integers without Raw", nil, "new", struct{ Source }{src}, WriteOptions{}, ErrInvalid, `tensor "ids": its source has no I64 as stored`},
		{"beyond F16", nil, "new", memory(t, Tensor{Name: "x", Shape: []int{2}, Data: []float32{1, 65520}}), WriteOptions{DType: F16}, ErrInvalid, `tensor "x": from element 0: element 1: 65520 is beyond the range of F16`},
		{"beyond BF16", nil, "new", memory(t, Tensor{Name: "x", Data: []float32{3.4e38}}), WriteOptions{DType: BF16}, ErrInvalid, "beyond the range of BF16"},
		{"unknown dtype", nil, "new", src, WriteOptions{DType: "F8_E8M0"}, nil, "want F64, F32, F16, BF16, F8_E4M3 or F8_E5M2"},
		{"shards of one file", nil, "new.safetensors", src, WriteOptions{ShardBytes: 1}, nil, "shards need a directory"},
		{"negative shards", nil, "new", src, WriteOptions{ShardBytes: -1}, nil, "shard size"},
		{"side file above", nil, "new", src, WriteOptions{SideFiles: []SideFile{{"../x", nil}}}, ErrInvalid, `side file "../x"`},
		{"side file twice", nil, "new", src, WriteOptions{SideFiles: []SideFile{{"x", nil}, {"x", nil}}}, ErrInvalid, `side file "x"`},
		{"side file of weights", nil, "new", src, WriteOptions{SideFiles: []SideFile{{"model.safetensors", nil}}}, ErrInvalid, "take for the model's weights"},
		{"side file of a shard", nil, "new", src, WriteOptions{SideFiles: []SideFile{{"model-00001-of-00002.safetensors", nil}}}, ErrInvalid, "take for the model's weights"},
		{"side file pickled", nil, "new", src, WriteOptions{SideFiles: []SideFile{{"pytorch_model.bin", nil}}}, ErrInvalid, "take for the model's weights"},
		{"metadata not text", nil, "new", src, WriteOptions{Metadata: map[string]string{"a": "\xff"}}, ErrInvalid, "UTF-8"},
		{"name not text", nil, "new", memory(t, Tensor{Name: "\xff", Data: []float32{1}}), WriteOptions{}, ErrInvalid, "cannot be stored"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			small := memory(t, Tensor{Name: "old", Data: []float32{1}})
			for _, path := range []string{"old.safetensors", "old"} {
				if err := Write(t.Context(), filepath.Join(dir, path), small, WriteOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			for _, path := range []string{"dir.safetensors/model.safetensors", "plain", "notes/thesis.txt", "deep/sub/model.safetensors"} {
				if err := WriteFile(filepath.Join(dir, path), []byte("precious"), false); err != nil {
					t.Fatal(err)
				}
			}
			before := tree(t, dir)
			ctx := c.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			err := Write(ctx, filepath.Join(dir, c.path), c.src, c.opts)
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !contains(err, c.text) {
				t.Errorf("error %v, want %v that says %q", err, c.want, c.text)
			}
			if after := tree(t, dir); after != before {
				t.Errorf("directory changed from\n%s\nto\n%s", before, after)
			}
		})
	}
}

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b.json")
	if err := WriteFile(path, []byte("1"), false); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, []byte("2"), false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second write: %v, want fs.ErrExist", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "1" {
		t.Errorf("contents %q after a refusal, want 1", data)
	}
	if err := WriteFile(path, []byte("2"), true); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(path); string(data) != "2" {
		t.Errorf("contents %q after force, want 2", data)
	}
	if err := WriteFile(filepath.Join(path, "x"), nil, false); err == nil {
		t.Error("a file became a directory")
	}
}

// A killed writer's leftovers go with the next write of the same path; a living writer's stay.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m")
	living, err := newStage(nil, path, true, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := living.put("half", []byte("x")); err != nil {
		t.Fatal(err)
	}
	for _, dead := range []string{".m.tmp-1-0/model.safetensors", ".m.tmp-1-1", ".m.tmp-mine", ".other.tmp-1-0"} {
		if err := WriteFile(filepath.Join(dir, dead), nil, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := Write(t.Context(), path, memory(t, Tensor{Name: "x", Data: []float32{1}}), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	var names []string
	list, _ := os.ReadDir(dir)
	for _, item := range list {
		names = append(names, item.Name())
	}
	if want := []string{filepath.Base(living.temp), ".m.tmp-mine", ".other.tmp-1-0", "m"}; canTellDead && !slices.Equal(names, want) {
		t.Errorf("left %q, want %q", names, want)
	}
	err = publish([]*stage{living})
	living.finish(false)
	if !errors.Is(err, fs.ErrExist) {
		t.Errorf("the slower writer: %v, want fs.ErrExist", err)
	}
	if _, err := os.Stat(living.temp); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the slower writer left its files: %v", err)
	}
}

// The portable ways to rename keep the promises of renameat2, one step at a time.
func TestPortableRename(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for path, text := range map[string]string{a: "new", b: "old"} {
		if err := WriteFile(filepath.Join(path, "f"), []byte(text), false); err != nil {
			t.Fatal(err)
		}
	}
	if err := renameChecked(a, b); !errors.Is(err, fs.ErrExist) {
		t.Errorf("renameChecked onto a directory: %v, want fs.ErrExist", err)
	}
	if err := exchangeSteps(a, b); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(filepath.Join(b, "f")); string(data) != "new" {
		t.Errorf("after the exchange b has %q", data)
	}
	if err := exchangeSteps(filepath.Join(dir, "none"), b); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("exchange with nothing: %v", err)
	}
	if data, _ := os.ReadFile(filepath.Join(b, "f")); string(data) != "new" {
		t.Errorf("after a failed exchange b has %q", data)
	}
}

func TestForceFollowsALinkToADirectory(t *testing.T) {
	dir := t.TempDir()
	src := memory(t, Tensor{Name: "x", Data: []float32{1}})
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	if err := Write(t.Context(), real, memory(t), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	if err := Write(t.Context(), link, src, WriteOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	if hash(t, open(t, real)) != hash(t, src) {
		t.Error("the directory behind the link was not replaced")
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info, err)
	}
}
