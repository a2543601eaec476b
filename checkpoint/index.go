package checkpoint

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"
)

// readSmall reads a file that must not be longer than a header may be.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxHeader+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxHeader {
		return nil, invalid("%s: longer than %d bytes", path, maxHeader)
	}
	return text, nil
}

// parseIndex reads model.safetensors.index.json: which file of the same directory holds each tensor.
// Other keys beside weight_map pass; a key twice, a file outside of the directory, or no weight_map do not.
func parseIndex(text []byte) (map[string]string, error) {
	if !utf8.Valid(text) {
		return nil, invalid("index is not valid UTF-8")
	}
	s := newScanner(text)
	var files map[string]string
	err := s.object(func(key string) error {
		if key != "weight_map" {
			return s.skip()
		}
		files = make(map[string]string)
		return within(s.object(func(name string) error {
			file, err := s.text()
			if err != nil {
				return within(err, "tensor %q", name)
			}
			if !shardName(file) {
				return invalid("tensor %q: file %q, want the name of a .safetensors file in the same directory", name, file)
			}
			files[name] = file
			return nil
		}), "weight_map")
	})
	if err == nil {
		if _, end := s.dec.Token(); end != io.EOF {
			err = invalid("index has something after its closing }")
		}
	}
	switch {
	case err != nil:
		if errors.Is(err, ErrInvalid) {
			return nil, err
		}
		return nil, invalid("index is not valid JSON: %v", err)
	case files == nil:
		return nil, invalid("index has no weight_map")
	}
	return files, nil
}

// shardName accepts plain file names only: an index must not reach outside of its directory.
func shardName(file string) bool {
	return filepath.IsLocal(file) && !strings.ContainsAny(file, `/\`) && strings.HasSuffix(file, ".safetensors")
}

// formatIndex spells an index as Hugging Face tools do.
func formatIndex(files map[string]string, size int64) []byte {
	text := []byte("{\n  \"metadata\": {\n    \"total_size\": " + strconv.FormatInt(size, 10) + "\n  },\n  \"weight_map\": ")
	table, _ := json.MarshalIndent(files, "  ", "  ") // strings only: cannot fail; keys come out sorted
	return append(append(text, table...), "\n}\n"...)
}
