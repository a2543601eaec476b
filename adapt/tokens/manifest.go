package tokens

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"syncretic/checkpoint"
)

// Row is a line of a folder's manifest.
type Row struct {
	Path      string  // of the recording, relative to the folder where it can be; see Relative
	File      string  // of its codes, in the folder
	Codebooks int     //
	Frames    int     //
	Seconds   float64 // length of the recording
	Audio     string  // SHA-256 of the recording's bytes
	Model     string  // Origin.Model
	Resampler string  // Origin.Resampler
}

// columns are a manifest's, in order.
var columns = []string{"path", "tokens", "codebooks", "frames", "seconds", "audio_sha256", "model_sha256", "resampler"}

// ReadManifest reads the list of a folder. Errors are ErrInvalid, or fs.ErrNotExist where there is none.
func ReadManifest(path string) ([]Row, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, ErrInvalid, err)
	}
	if len(lines) == 0 || !slices.Equal(lines[0], columns) {
		return nil, fmt.Errorf("%s: %w: not a manifest of codes, whose columns are %v", path, ErrInvalid, columns)
	}
	rows := make([]Row, len(lines)-1)
	for i, v := range lines[1:] {
		r := Row{Path: v[0], File: v[1], Audio: v[5], Model: v[6], Resampler: v[7]}
		var bad [3]error
		r.Codebooks, bad[0] = strconv.Atoi(v[2])
		r.Frames, bad[1] = strconv.Atoi(v[3])
		r.Seconds, bad[2] = strconv.ParseFloat(v[4], 64)
		if bad != [3]error{} || r.Codebooks < 1 || r.Frames < 1 || !(r.Seconds > 0) || !filepath.IsLocal(r.File) {
			return nil, fmt.Errorf("%s: %w: row %d: %v, want a file below the folder and positive numbers", path, ErrInvalid, i+1, v)
		}
		rows[i] = r
	}
	return rows, nil
}

// WriteManifest writes the list of a folder, replacing the one before it whole.
func WriteManifest(path string, rows []Row) error {
	lines := [][]string{columns}
	for _, r := range rows {
		lines = append(lines, []string{r.Path, r.File, strconv.Itoa(r.Codebooks), strconv.Itoa(r.Frames),
			strconv.FormatFloat(r.Seconds, 'f', -1, 64), r.Audio, r.Model, r.Resampler})
	}
	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(lines); err != nil {
		return err
	}
	return checkpoint.WriteFile(path, out.Bytes(), true)
}

// Relative is the path of a recording in the manifest of a folder: from the folder where there is a way, so that both can be moved
// together.
func Relative(dir, recording string) string {
	from, err1 := filepath.Abs(dir)
	to, err2 := filepath.Abs(recording)
	if err1 == nil && err2 == nil {
		if rel, err := filepath.Rel(from, to); err == nil {
			return filepath.ToSlash(rel)
		}
	}
	return recording
}
