package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// A reader sees the old model or the new one, whole, while a writer replaces it again and again.
func TestReplacingIsOneStep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m")
	generation := func(x float32) *Memory {
		return memory(t, Tensor{Name: "a", Data: []float32{x}}, Tensor{Name: "b", Data: []float32{x}}, Tensor{Name: "c", Data: []float32{x}})
	}
	if err := Write(t.Context(), path, generation(0), WriteOptions{ShardBytes: 1}); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			m, err := Open(path)
			if err != nil {
				t.Errorf("open while replacing: %v", err)
				return
			}
			seen := make(map[float32]bool)
			for _, name := range []string{"a", "b", "c"} {
				x, err := ReadAll(m, name)
				if err != nil {
					t.Error(err)
					return
				}
				seen[x[0]] = true
			}
			if len(seen) != 1 {
				t.Errorf("opened a mix of generations %v", seen)
			}
			m.Close()
		}
	})
	for i := range 8 {
		if err := Write(t.Context(), path, generation(float32(i)), WriteOptions{ShardBytes: 1, Force: true}); err != nil {
			t.Error(err)
		}
		m := open(t, path)
		for _, name := range []string{"a", "b", "c"} {
			if x, err := ReadAll(m, name); err != nil || x[0] != float32(i) {
				t.Errorf("%s = %v, %v; want %d", name, x, err, i)
			}
		}
	}
	close(done)
	wg.Wait()
}

// Of two writers without force one wins, and the other leaves nothing.
func TestTwoWriters(t *testing.T) {
	for _, name := range []string{"m", "m.safetensors"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		errs := make([]error, 4)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				errs[i] = Write(t.Context(), path, memory(t, Tensor{Name: "x", Data: []float32{1}}), WriteOptions{})
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, fs.ErrExist) {
				t.Errorf("%s: %v, want fs.ErrExist", name, err)
			}
		}
		if list, _ := os.ReadDir(dir); won != 1 || len(list) != 1 {
			t.Errorf("%s: %d writers won, left %v", name, won, list)
		}
	}
}

func TestForceWithNothingToReplace(t *testing.T) {
	for _, name := range []string{"m", "m.safetensors"} {
		path := filepath.Join(t.TempDir(), name)
		if err := Write(t.Context(), path, memory(t), WriteOptions{Force: true}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		open(t, path)
	}
}

// A file keeps being readable through a mapping while it is replaced by its own contents.
func TestReplaceWhatIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := Write(t.Context(), path, large(t), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	m := open(t, path)
	want := hash(t, m)
	if err := Write(t.Context(), path, m, WriteOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	if hash(t, open(t, path)) != want || hash(t, m) != want {
		t.Error("contents changed")
	}
}

func TestSideFilesLeaveOut(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"model.safetensors", "config.json", ".gitattributes", "sub/x.json", "pytorch_model.bin", "tokenizer.model", "model.onnx", "z.safetensors.index.json"} {
		text := name
		if name == "model.safetensors" {
			text = file("{}", 0)
		}
		if err := WriteFile(filepath.Join(dir, name), []byte(text), false); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "sub", "x.json"), filepath.Join(dir, "linked.json")); err != nil {
		t.Fatal(err)
	}
	sides, err := open(t, dir).SideFiles()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, side := range sides {
		names = append(names, side.Name+"="+string(side.Data))
	}
	want := []string{"config.json=config.json", "linked.json=sub/x.json", "tokenizer.model=tokenizer.model"}
	if len(names) != 3 || names[0] != want[0] || names[1] != want[1] || names[2] != want[2] {
		t.Errorf("side files %q, want %q", names, want)
	}
}

func TestProgressGrows(t *testing.T) {
	src := large(t)
	total := int64(0)
	for _, info := range src.Tensors() {
		total += info.Bytes()
	}
	last, calls := int64(0), 0
	err := Write(t.Context(), filepath.Join(t.TempDir(), "m"), src, WriteOptions{Progress: func(done, all int64) {
		if done <= last || all != total {
			t.Errorf("progress %d of %d after %d, want it to grow to %d", done, all, last, total)
		}
		last = done
		calls++
	}})
	if err != nil || last != total || calls != 6 {
		t.Errorf("%d calls to %d, %v; want 6 to %d", calls, last, err, total)
	}
}

func TestCheckTargetTellsWhatWriteWouldRefuse(t *testing.T) {
	dir := t.TempDir()
	model, text, other := filepath.Join(dir, "m"), filepath.Join(dir, "x.json"), filepath.Join(dir, "folder")
	if err := Write(t.Context(), model, large(t), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(text, nil, false); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(other, "inner"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name       string
		path       string
		dir, force bool
		refused    bool
	}{
		{"nothing there", filepath.Join(dir, "new"), true, false, false},
		{"nothing there, nor its parent", filepath.Join(dir, "a", "b"), false, false, false},
		{"a model", model, true, false, true},
		{"a model, with force", model, true, true, false},
		{"a file, with force", text, false, true, false},
		{"a directory where a file belongs", model, false, true, true},
		{"a file where a directory belongs", text, true, true, true},
		{"a device", os.DevNull, false, true, true},
		{"a directory that is no model", other, true, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := CheckTarget(test.path, test.dir, test.force)
			if errors.Is(err, fs.ErrExist) != test.refused || (err == nil) == test.refused {
				t.Errorf("got %v, want refused %v", err, test.refused)
			}
		})
	}
}
