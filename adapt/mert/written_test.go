package mert

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"syncretic/checkpoint"
)

// TestDirectoriesAreThoseOfTransformers: what save_pretrained wrote comes back as it was, so from_pretrained loads it
// strictly: every tensor by name, type, shape and value, the header's format, config.json and preprocessor_config.json.
func TestDirectoriesAreThoseOfTransformers(t *testing.T) {
	for _, name := range cases {
		t.Run(name, func(t *testing.T) {
			from := filepath.Join("testdata", name)
			e, err := Open(from)
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "model")
			if err := checkpoint.Write(t.Context(), dir, e, checkpoint.WriteOptions{SideFiles: e.SideFiles()}); err != nil {
				t.Fatal(err)
			}
			hashes := make([]string, 2)
			for i, path := range []string{from, dir} {
				m, err := checkpoint.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				if m.Metadata()["format"] != "pt" {
					t.Errorf("%s: metadata %v, want the format pt", path, m.Metadata())
				}
				if hashes[i], err = checkpoint.Hash(m); err != nil {
					t.Fatal(err)
				}
			}
			if hashes[0] != hashes[1] {
				t.Error("the weights are not those of transformers")
			}
			for _, file := range []string{configName, preprocessorName} {
				got, err := os.ReadFile(filepath.Join(dir, file))
				if err != nil {
					t.Fatal(err)
				}
				want, err := os.ReadFile(filepath.Join(from, file))
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(bytes.TrimSpace(got), bytes.TrimSpace(want)) {
					t.Errorf("%s: %s, want %s", file, got, want)
				}
			}
		})
	}
}
