package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"syncretic/adapt/audio"
	"syncretic/adapt/tokens"
	"syncretic/checkpoint"
)

// folderOutput checks, before any work is done, that files may be written to a folder, which may exist: see [app.fileOutput].
func (a *app) folderOutput(path string, inputs ...string) error {
	for _, in := range inputs {
		if left, err := os.Stat(path); err == nil {
			if right, err := os.Stat(in); err == nil && os.SameFile(left, right) {
				return usageError("the output %s is also an input; choose another name", path)
			}
		}
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return usageError("the output %s is a file; want a directory, or a name that ends in .safetensors", path)
	}
	return writable(filepath.Join(path, tokens.ManifestName))
}

// intoFolder writes a file of codes for each recording that the folder does not hold yet, and the manifest. An error or an
// interruption leaves what was finished, listed.
func (t *tokenizer) intoFolder(ctx context.Context, files []recording) error {
	if err := os.MkdirAll(t.o.output, 0o777); err != nil {
		return err
	}
	release, err := checkpoint.LockDir(t.o.output) // the manifest is read, and written at the end
	if err != nil {
		return err
	}
	defer func() {
		_ = release()             // the lock ends with the process at the latest
		_ = os.Remove(t.o.output) // which it is not, unless it is empty
	}()
	manifest := filepath.Join(t.o.output, tokens.ManifestName)
	listed, err := tokens.ReadManifest(manifest)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	rows := map[string]tokens.Row{} // by path, as the manifest has it
	for _, row := range listed {
		switch {
		case row.Model == t.origin.Model && row.Codebooks == t.origin.Codebooks && row.Resampler == t.origin.Resampler:
			rows[row.Path] = row
		case !t.a.force:
			return fmt.Errorf("%s: holds codes of another model, another number of codebooks or another resampler: %w", t.o.output, fs.ErrExist)
		}
	}
	paths := make([]string, len(files))
	for i, r := range files {
		paths[i] = r.path
	}
	hashes, err := checkpoint.HashFiles(ctx, paths, "")
	if err != nil {
		return err
	}
	frames := 0
	list := func(i, n int) {
		from := tokens.Relative(t.o.output, paths[i])
		rows[from] = tokens.Row{Path: from, File: tokens.FileName(paths[i], hashes[i]), Codebooks: t.origin.Codebooks, Frames: n,
			Seconds: float64(files[i].frames) / audio.SampleRate, Audio: hashes[i], Model: t.origin.Model, Resampler: t.origin.Resampler}
		frames += n
	}
	var todo, same []int // same has the content of one of todo, under the same name in another folder
	planned := map[string]int{}
	for i, path := range paths {
		name := tokens.FileName(path, hashes[i])
		n, err := t.held(filepath.Join(t.o.output, name), hashes[i])
		if err != nil {
			return err
		}
		if n > 0 {
			list(i, n)
		} else if _, twin := planned[name]; twin {
			same = append(same, i)
		} else {
			planned[name] = 0
			todo = append(todo, i)
		}
	}
	fresh := make([]recording, len(todo))
	for k, i := range todo {
		fresh[k] = files[i]
	}
	bad, failed := t.encode(ctx, fresh, func(k int, codes [][]int16) error {
		i := todo[k]
		name := tokens.FileName(paths[i], hashes[i])
		path := filepath.Join(t.o.output, name)
		if err := tokens.Write(ctx, path, hashes[i], codes, checkpoint.WriteOptions{Metadata: t.metadata(), Force: t.a.force}); err != nil {
			return err
		}
		planned[name] = len(codes[0])
		list(i, len(codes[0]))
		return nil
	})
	for _, i := range same {
		switch n := planned[tokens.FileName(paths[i], hashes[i])]; {
		case n > 0 && failed == nil:
			list(i, n)
		case failed == nil:
			bad = append(bad, audio.Skipped{Path: paths[i], Reason: fmt.Sprintf("%s: %v: the same as another that was left out", paths[i], audio.ErrInvalid)})
		}
	}
	if len(rows) > 0 {
		var table []tokens.Row
		for _, path := range slices.Sorted(maps.Keys(rows)) {
			table = append(table, rows[path])
		}
		failed = errors.Join(failed, tokens.WriteManifest(manifest, table))
	}
	if failed != nil {
		return failed
	}
	if len(bad) == len(files) {
		return noneReadable(append(t.skipped, bad...))
	}
	encoded := len(todo)
	for _, r := range fresh {
		if slices.ContainsFunc(bad, func(s audio.Skipped) bool { return s.Path == r.path }) {
			encoded--
		}
	}
	return t.report(bad, len(files)-len(bad), encoded, frames)
}

// held returns the number of frames in a file of codes, where it is there and of the same origin and audio; 0 where it is to be written.
func (t *tokenizer) held(path, hash string) (int, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	frames, err := tokens.Held(path, hash, t.origin)
	if t.a.force && err != nil {
		return 0, nil
	}
	return frames, err
}
