package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"syncretic/adapt/audio"
	"syncretic/checkpoint"
)

// The metadata by which a file of codes is known again.
const (
	metaModel     = "syncretic.model_sha256"
	metaAudio     = "syncretic.audio_sha256"
	metaCodebooks = "syncretic.codebooks"
)

// codesName is the tensor of a file of codes.
const codesName = "codes"

// manifestName lists the recordings of a folder of codes.
const manifestName = "manifest.csv"

// manifestColumns are its columns: the recording, relative to the folder where it can be; the file of its codes; their size;
// the recording's length; and the SHA-256 of its bytes and, as [encodec.Encoder.Hash], of the model.
var manifestColumns = []string{"path", "tokens", "codebooks", "frames", "seconds", "audio_sha256", "model_sha256"}

// errManifest means that a folder's manifest is of something else.
var errManifest = errors.New("not a manifest of codes")

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
	return writable(filepath.Join(path, manifestName))
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
	manifest := filepath.Join(t.o.output, manifestName)
	listed, err := readTokenManifest(manifest)
	if err != nil {
		return err
	}
	if !t.a.force {
		for _, row := range listed {
			if row[6] != t.enc.Hash() || row[2] != t.meta[metaCodebooks] {
				return fmt.Errorf("%s: holds codes of another model or another number of codebooks: %w", t.o.output, fs.ErrExist)
			}
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
	rows := map[string][]string{} // by path, as the manifest has it
	for _, row := range listed {
		if row[6] == t.enc.Hash() && row[2] == t.meta[metaCodebooks] {
			rows[row[0]] = row
		}
	}
	frames := 0
	list := func(i, n int) {
		from, seconds := relative(t.o.output, paths[i]), float64(files[i].frames)/audio.SampleRate
		rows[from] = []string{from, tokenName(paths[i], hashes[i]), t.meta[metaCodebooks], strconv.Itoa(n),
			strconv.FormatFloat(seconds, 'f', -1, 64), hashes[i], t.enc.Hash()}
		frames += n
	}
	var todo, same []int // same has the content of one of todo, under the same name in another folder
	planned := map[string]int{}
	for i, path := range paths {
		name := tokenName(path, hashes[i])
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
	failed := t.encode(ctx, fresh, func(k int, codes [][]int16) error {
		i := todo[k]
		name := tokenName(paths[i], hashes[i])
		if err := t.store(ctx, filepath.Join(t.o.output, name), hashes[i], codes); err != nil {
			return err
		}
		planned[name] = len(codes[0])
		list(i, len(codes[0]))
		return nil
	})
	for _, i := range same {
		if n := planned[tokenName(paths[i], hashes[i])]; n > 0 && failed == nil {
			list(i, n)
		}
	}
	if len(rows) > 0 {
		var table [][]string
		for _, path := range slices.Sorted(maps.Keys(rows)) {
			table = append(table, rows[path])
		}
		failed = errors.Join(failed, writeTokenManifest(manifest, table))
	}
	if failed != nil {
		return failed
	}
	kept := len(paths) - len(todo)
	return t.a.result(map[string]any{"output": t.o.output, "files": len(paths), "encoded": len(todo), "kept": kept, "codebooks": t.o.codebooks, "frames": frames},
		fmt.Sprintf("%s: %d recordings (%d were there), %d codebooks, %d frames\n", t.o.output, len(paths), kept, t.o.codebooks, frames))
}

// held returns the number of frames in a file of codes, where it is there and of the same model, audio and number of
// codebooks; 0 where it is to be written.
func (t *tokenizer) held(path, hash string) (int, error) {
	m, err := checkpoint.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil && t.a.force:
		return 0, nil
	case err != nil:
		return 0, err
	}
	defer m.Close()
	meta := m.Metadata()
	info, ok := checkpoint.Find(m, codesName)
	if ok && len(info.Shape) == 2 && info.DType == checkpoint.I16 &&
		meta[metaModel] == t.enc.Hash() && meta[metaAudio] == hash && meta[metaCodebooks] == t.meta[metaCodebooks] {
		return info.Shape[1], nil
	}
	if t.a.force {
		return 0, nil
	}
	return 0, fmt.Errorf("%s: holds something other than the codes of this model and recording: %w", path, fs.ErrExist)
}

// store writes one file of codes, replacing what held found not to be them.
func (t *tokenizer) store(ctx context.Context, path, hash string, codes [][]int16) error {
	meta := maps.Clone(t.meta)
	meta[metaAudio] = hash
	return checkpoint.Write(ctx, path, newCodes(codes), checkpoint.WriteOptions{Metadata: meta, Force: t.a.force})
}

// tokens is a [checkpoint.RawSource] of one tensor of codes: 2 bytes a code, so that long recordings stay small.
type tokens struct {
	info []checkpoint.Info
	raw  []byte
}

func newCodes(codes [][]int16) tokens {
	shape := []int{len(codes), len(codes[0])}
	raw := make([]byte, 0, 2*shape[0]*shape[1])
	for _, row := range codes {
		for _, c := range row {
			raw = binary.LittleEndian.AppendUint16(raw, uint16(c))
		}
	}
	return tokens{[]checkpoint.Info{{Name: codesName, DType: checkpoint.I16, Shape: shape}}, raw}
}

func (t tokens) Tensors() []checkpoint.Info { return t.info }

func (t tokens) Raw(string) ([]byte, error) { return t.raw, nil }

func (t tokens) Read(_ string, offset int, dst []float32) error {
	for i := range dst {
		dst[i] = float32(int16(binary.LittleEndian.Uint16(t.raw[2*(offset+i):])))
	}
	return nil
}

// relative is the path of a recording in the manifest of dir.
func relative(dir, path string) string {
	from, err1 := filepath.Abs(dir)
	to, err2 := filepath.Abs(path)
	if err1 == nil && err2 == nil {
		if rel, err := filepath.Rel(from, to); err == nil {
			return filepath.ToSlash(rel)
		}
	}
	return path
}

// readTokenManifest returns the rows of a manifest, none where there is no file.
func readTokenManifest(path string) ([][]string, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, errManifest, err)
	}
	if len(rows) == 0 || !slices.Equal(rows[0], manifestColumns) {
		return nil, fmt.Errorf("%s: %w, whose columns are %v", path, errManifest, manifestColumns)
	}
	return rows[1:], nil
}

func writeTokenManifest(path string, rows [][]string) error {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	if err := w.WriteAll(append([][]string{manifestColumns}, rows...)); err != nil {
		return err
	}
	return checkpoint.WriteFile(path, out.Bytes(), true)
}
