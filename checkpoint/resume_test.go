package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// interrupted writes generation 1 to path, resumable as fingerprint says, until two of its files are finished.
func interrupted(t *testing.T, path, fingerprint string) {
	t.Helper()
	src, opts := generation(1)
	opts.Resume = fingerprint
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	journalled := 0
	d := &disk{before: func(op, p string) error {
		if op == "sync" && filepath.Base(p) == journalName {
			if journalled++; journalled == 3 { // its first line, and two files
				cancel()
			}
		}
		return nil
	}}
	defer setProcs(1)()
	_, err := writeAll(ctx, d, []Output{{path, src, opts}})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, ErrResumable) || strings.Contains(err.Error(), "\n") {
		t.Fatalf("error %v, want one line that wraps context.Canceled and ErrResumable", err)
	}
	if stages := staged(t, path); len(stages) != 1 {
		t.Fatalf("stages %q, want one kept", stages)
	}
}

// staged lists what is kept beside path.
func staged(t *testing.T, path string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp-*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// An interrupted writer that resumes keeps what is finished. The next one takes it where all is equal, and begins anew where
// anything is not; either way it ends with the bytes of one that nobody disturbed, and nothing is left.
func TestResume(t *testing.T) {
	if !canTellDead {
		return // leftovers cannot be told from a living writer's files: none is touched
	}
	first := "model-00001-of-00004.safetensors"
	change := func(name string, f func([]byte) []byte) func(*testing.T, string, *Output) {
		return func(t *testing.T, stage string, _ *Output) {
			path := filepath.Join(stage, name)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, f(data), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, stage string, o *Output)
		writes int // shards
	}{
		{"nothing changed", func(*testing.T, string, *Output) {}, 2},
		{"a torn last line", change(journalName, func(b []byte) []byte { return b[:len(b)-20] }), 3},
		{"half a line more", change(journalName, func(b []byte) []byte { return append(b, "0123 {"...) }), 2},
		{"a side file and an index were there", func(t *testing.T, stage string, _ *Output) {
			for _, name := range []string{indexName, "config.json"} {
				if err := os.WriteFile(filepath.Join(stage, name), []byte("half"), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}, 2},
		{"a damaged line", change(journalName, func(b []byte) []byte { b[len(b)-10] ^= 1; return b }), 4},
		{"a damaged first line", change(journalName, func(b []byte) []byte { b[0] ^= 1; return b }), 4},
		{"an empty journal", change(journalName, func([]byte) []byte { return nil }), 4},
		{"no files yet", change(journalName, func(b []byte) []byte { return b[:bytes.IndexByte(b, '\n')+1] }), 4},
		{"a shard cut short", change(first, func(b []byte) []byte { return b[1:] }), 4},
		{"a shard gone", func(t *testing.T, stage string, _ *Output) {
			if err := os.Remove(filepath.Join(stage, first)); err != nil {
				t.Fatal(err)
			}
		}, 4},
		{"another fingerprint", func(_ *testing.T, _ string, o *Output) { o.Options.Resume = "other" }, 4},
		{"no resuming", func(_ *testing.T, _ string, o *Output) { o.Options.Resume = "" }, 4},
		{"without digests", func(_ *testing.T, _ string, o *Output) { o.Options.Digest = false }, 4},
		{"other metadata", func(_ *testing.T, _ string, o *Output) { o.Options.Metadata = map[string]string{"a": "b"} }, 4},
		{"larger shards", func(_ *testing.T, _ string, o *Output) { o.Options.ShardBytes *= 2 }, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "m")
			interrupted(t, path, "recipe")
			src, opts := generation(1)
			opts.Resume, opts.Force = "recipe", false
			again := Output{path, src, opts}
			c.change(t, staged(t, path)[0], &again)
			var creates atomic.Int64
			d := &disk{before: func(op, p string) error {
				if op == "create" && strings.HasPrefix(filepath.Base(p), "model-") && filepath.Base(p) != indexName {
					creates.Add(1)
				}
				return nil
			}}
			var done, total int64
			again.Options.Progress = func(d, t int64) { done, total = d, t }
			written, err := writeAll(t.Context(), d, []Output{again})
			if err != nil {
				t.Fatal(err)
			}
			if int(creates.Load()) != c.writes || done != total {
				t.Errorf("%d shards written and progress to %d of %d, want %d and all", creates.Load(), done, total, c.writes)
			}
			again.Path, again.Options.Resume = filepath.Join(dir, "want"), ""
			if err := Write(t.Context(), again.Path, src, again.Options); err != nil {
				t.Fatal(err)
			}
			if got, want := contents(t, path), contents(t, again.Path); got != strings.ReplaceAll(want, again.Path, path) {
				t.Errorf("files\n%s\nwant\n%s", got, want)
			}
			if list, err := os.ReadDir(dir); err != nil || len(list) != 2 {
				t.Errorf("left %v, %v", list, err)
			}
			if digests, err := Digests(t.Context(), open(t, path), nil); err != nil || again.Options.Digest && len(written[0].Tensors) != len(digests) {
				t.Errorf("%d digests, want %d, %v", len(written[0].Tensors), len(digests), err)
			} else {
				for i, d := range written[0].Tensors {
					if !sameDigest(d, digests[i]) {
						t.Errorf("digest %v, want %v", d, digests[i])
					}
				}
			}
		})
	}
}

// An error that is no interrupt leaves nothing, and neither does an interrupt before anything is finished.
func TestResumeKeepsNothingWithoutNeed(t *testing.T) {
	dir := t.TempDir()
	src, opts := generation(1)
	opts.Resume = "recipe"
	boom := errors.New("boom")
	d := &disk{before: func(op, p string) error {
		if op == "create" && filepath.Base(p) == "model-00004-of-00004.safetensors" {
			return boom
		}
		return nil
	}}
	if _, err := writeAll(t.Context(), d, []Output{{filepath.Join(dir, "m"), src, opts}}); !errors.Is(err, boom) || errors.Is(err, ErrResumable) {
		t.Errorf("error %v, want boom alone", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Write(ctx, filepath.Join(dir, "m"), src, opts); !errors.Is(err, context.Canceled) || errors.Is(err, ErrResumable) {
		t.Errorf("error %v, want context.Canceled alone", err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 0 {
		t.Errorf("left %v, %v", list, err)
	}
}

// A living writer's files are never taken over.
func TestResumeLeavesTheLiving(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m")
	src, opts := generation(1)
	opts.Resume = "recipe"
	met := false
	d := &disk{before: func(op, p string) error {
		if op == "create" && filepath.Base(p) == "model-00003-of-00004.safetensors" && !met {
			met = true
			return Write(t.Context(), path, src, opts)
		}
		return nil
	}}
	if _, err := writeAll(t.Context(), d, []Output{{path, src, opts}}); err != nil || !met {
		t.Fatal(err)
	}
	if hash(t, open(t, path)) != hash(t, src) || len(staged(t, path)) > 0 {
		t.Error("two writers of one fingerprint disturbed each other")
	}
}

// The journal never runs ahead of the disk: a file's line is written after its own sync, and synced before the next is; it is gone
// before the output appears.
func TestJournalFollowsTheFiles(t *testing.T) {
	defer setProcs(1)()
	src, opts := generation(1)
	opts.Resume = "recipe"
	var did []string
	d := &disk{before: func(op, p string) error {
		if base := filepath.Base(p); op == "sync" || op == "rename" || base == journalName {
			did = append(did, op+" "+base)
		}
		return nil
	}}
	path := filepath.Join(t.TempDir(), "m")
	if _, err := writeAll(t.Context(), d, []Output{{path, src, opts}}); err != nil {
		t.Fatal(err)
	}
	want := []string{"create " + journalName, "write " + journalName, "sync " + journalName}
	for i := range victimShards {
		want = append(want, fmt.Sprintf("sync model-%05d-of-%05d.safetensors", i+1, victimShards), "write "+journalName, "sync "+journalName)
	}
	want = append(want, "sync "+indexName, "sync config.json", "remove "+journalName, "sync stage", "rename m", "sync parent")
	for i, line := range did {
		if strings.HasPrefix(line, "sync .m.tmp-") {
			did[i] = "sync stage"
		}
	}
	did[len(did)-1] = "sync parent"
	if !slices.Equal(did, want) {
		t.Errorf("operations\n%q\nwant\n%q", did, want)
	}
}
