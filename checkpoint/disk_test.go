package checkpoint

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// failAt is a disk that counts its operations and fails the kth, from 1 on; 0 fails none.
func failAt(k int64, err error) (d *disk, count *atomic.Int64) {
	count = new(atomic.Int64)
	return &disk{before: func(op, path string) error {
		if count.Add(1) == k {
			return err
		}
		return nil
	}}, count
}

// jobs are what a writer may be asked to do in a directory that holds old.safetensors and the sharded model old.
func jobs(dir string) map[string][]Output {
	src, opts := generation(1)
	plain := opts
	plain.ShardBytes, plain.SideFiles = 0, nil
	fresh, resumed := opts, opts
	fresh.Force = false
	resumed.Resume = "recipe"
	proved := opts
	proved.Proof = func(w Written) ([]SideFile, error) {
		return []SideFile{{"proof.json", fmt.Append(nil, len(w.Tensors))}}, nil
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	return map[string][]Output{
		"replace a model":              {{at("old"), src, opts}},
		"replace a model with a proof": {{at("old"), src, proved}},
		"replace a model, resumable":   {{at("old"), src, resumed}},
		"replace a file":               {{at("old.safetensors"), src, plain}},
		"a new model in new folders":   {{at("a/b/new"), src, fresh}},
		"four at once":                 {{at("old"), src, opts}, {at("x/new"), src, fresh}, {at("old.safetensors"), src, plain}, {at("new.safetensors"), src, plain}},
	}
}

// contents is a directory's names and hashes of contents, for before-and-after comparisons.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			fmt.Fprintln(&b, path)
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(&b, "%s %x\n", path, sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// oldOutputs makes what jobs may replace.
func oldOutputs(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	src, opts := generation(0)
	if err := Write(t.Context(), filepath.Join(dir, "old"), src, opts); err != nil {
		t.Fatal(err)
	}
	if err := Write(t.Context(), filepath.Join(dir, "old.safetensors"), src, WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Whichever operation fails, there is one clear error, and everything is as it was. Once all outputs are in place for good, and only
// what they replaced cannot be removed, they stay.
func TestEveryOperationFails(t *testing.T) {
	boom := errors.New("boom")
	for name := range jobs("") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clean := oldOutputs(t)
			d, count := failAt(0, nil)
			if _, err := writeAll(t.Context(), d, jobs(clean)[name]); err != nil {
				t.Fatal(err)
			}
			after := contents(t, clean)
			dir := oldOutputs(t)
			before := contents(t, dir)
			for k := int64(1); k <= count.Load(); k++ {
				d, _ := failAt(k, boom)
				_, err := writeAll(t.Context(), d, jobs(dir)[name])
				if !errors.Is(err, boom) || strings.Count(fmt.Sprint(err), "boom") != 1 || strings.Contains(fmt.Sprint(err), "\n") {
					t.Fatalf("operation %d of %d: error %v, want one line that wraps boom", k, count.Load(), err)
				}
				switch now := contents(t, dir); {
				case strings.Contains(err.Error(), "written, but what it replaced could not be removed"):
					if want := strings.ReplaceAll(after, clean, dir); now != want {
						t.Fatalf("operation %d: %v: not all outputs are in place", k, err)
					}
					dir = oldOutputs(t)
					before = contents(t, dir)
				case now != before:
					t.Fatalf("operation %d: %v: the directory changed", k, err)
				}
			}
			if count.Load() < 10 {
				t.Errorf("%d operations, which cannot be all", count.Load())
			}
		})
	}
}

// flaky fails its kth read.
type flaky struct {
	Source
	count *atomic.Int64
	k     int64
	err   error
}

func (f flaky) Read(name string, offset int, dst []float32) error {
	if f.count.Add(1) == f.k {
		return f.err
	}
	return f.Source.Read(name, offset, dst)
}

func TestEveryReadFails(t *testing.T) {
	boom := errors.New("boom")
	for name := range jobs("") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := oldOutputs(t)
			before := contents(t, dir)
			reads := int64(0)
			for _, o := range jobs(dir)[name] {
				reads += int64(len(o.Source.Tensors()))
			}
			for k := int64(1); k <= reads; k++ {
				outputs := jobs(dir)[name]
				var count atomic.Int64
				for i := range outputs {
					outputs[i].Source = flaky{outputs[i].Source, &count, k, boom}
				}
				_, err := WriteAll(t.Context(), outputs...)
				if !errors.Is(err, boom) || strings.Contains(fmt.Sprint(err), "\n") {
					t.Fatalf("read %d of %d: error %v, want one line that wraps boom", k, reads, err)
				}
				if contents(t, dir) != before {
					t.Fatalf("read %d: the directory changed", k)
				}
			}
		})
	}
}

// A full disk is one clear error, whether it shows when room is reserved or later.
func TestFullDisk(t *testing.T) {
	for _, op := range []string{"reserve", "write", "sync", "mkdir"} {
		for name := range jobs("") {
			dir := oldOutputs(t)
			before := contents(t, dir)
			var asked atomic.Bool
			d := &disk{before: func(o, _ string) error {
				if o != op {
					return nil
				}
				asked.Store(true)
				return syscall.ENOSPC // from now on, every time
			}}
			_, err := writeAll(t.Context(), d, jobs(dir)[name])
			if asked.Load() && (!errors.Is(err, syscall.ENOSPC) || strings.Contains(fmt.Sprint(err), "\n")) {
				t.Errorf("%s: no room to %s: error %v, want one line that wraps ENOSPC", name, op, err)
			}
			if !asked.Load() {
				if err != nil || op != "mkdir" {
					t.Errorf("%s: never asked to %s: %v", name, op, err)
				}
			} else if contents(t, dir) != before {
				t.Errorf("%s: no room to %s: %v: the directory changed", name, op, err)
			}
		}
	}
}

// slow takes its time to read.
type slow struct{ Source }

func (s slow) Read(name string, offset int, dst []float32) error {
	time.Sleep(20 * time.Millisecond)
	return s.Source.Read(name, offset, dst)
}

// A writer that is interrupted ends within a second and leaves nothing, however much it had before it.
func TestInterrupted(t *testing.T) {
	dir := oldOutputs(t)
	before := contents(t, dir)
	var infos []Info
	for i := range 100 {
		infos = append(infos, Info{fmt.Sprintf("t%02d", i), F32, []int{8 * stepElements}})
	}
	src := slow{counted{infos, 3}}
	for name, opts := range map[string]WriteOptions{"old": {Force: true, ShardBytes: 1 << 20, Digest: true}, "new": {}, "old.safetensors": {Force: true}} {
		ctx, cancel := context.WithCancel(t.Context())
		var interrupted time.Time
		opts.Progress = func(done, _ int64) {
			if interrupted.IsZero() {
				interrupted = time.Now()
				cancel()
			}
		}
		err := Write(ctx, filepath.Join(dir, name), src, opts)
		if took := time.Since(interrupted); !errors.Is(err, context.Canceled) || errors.Is(err, ErrResumable) || took > time.Second {
			t.Errorf("%s: %v after %v, want context.Canceled within a second", name, err, took)
		}
		if contents(t, dir) != before {
			t.Errorf("%s: the directory changed", name)
		}
	}
}

// A file that is cut short while it is copied is an error, with and without digests.
func TestSourceCutShort(t *testing.T) {
	if !mapped {
		return // the file was read when it was opened
	}
	for _, digest := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "m.safetensors")
		if err := Write(t.Context(), path, large(t), WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		m := open(t, path)
		if err := os.Truncate(path, 4096); err != nil {
			t.Fatal(err)
		}
		err := Write(t.Context(), path+".copy.safetensors", m, WriteOptions{Digest: digest})
		if !errors.Is(err, ErrInvalid) || !contains(err, "was it changed meanwhile") {
			t.Errorf("digest %v: error %v, want one that asks whether the file changed", digest, err)
		}
	}
}
