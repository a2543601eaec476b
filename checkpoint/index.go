package checkpoint

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
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

// shardEnding is how the names end that an index may have: .bin in pytorch_model.bin.index.json, .safetensors in any other.
func shardEnding(index string) string {
	if strings.HasSuffix(index, ".bin"+indexEnding) {
		return ".bin"
	}
	return ".safetensors"
}

// parseIndex reads model.safetensors.index.json: which file of the same directory holds each tensor. File names have the ending.
// Other keys beside weight_map pass; a key twice, a file outside of the directory, or no weight_map do not.
func parseIndex(text []byte, ending string) (map[string]string, error) {
	if !utf8.Valid(text) {
		return nil, broken(RuleUTF8, "index is not valid UTF-8")
	}
	if at := loneSurrogate(text); at >= 0 {
		return nil, broken(RuleUTF8, "index is not valid text: half of a surrogate pair at byte %d", at)
	}
	s := newScanner(text)
	var files map[string]string
	err := s.object(func(key string) (err error) {
		if key != "weight_map" {
			return s.skip(1)
		}
		files, err = s.weightMap(ending)
		return within(ruled(RuleWeightMap, err), "weight_map")
	})
	switch {
	case err != nil:
		return nil, jsonError("index", err)
	case !s.end():
		return nil, broken(RuleJSON, "index has something after its closing }")
	case files == nil:
		return nil, broken(RuleWeightMap, "index has no weight_map")
	}
	return files, nil
}

func (s *scanner) weightMap(ending string) (map[string]string, error) {
	files := make(map[string]string)
	err := s.object(func(name string) error {
		file, err := s.str()
		if err == nil && !shardName(file, ending) {
			err = broken(RuleShardName, "file %s, want the name of a %s file in the same directory", quoted(file), ending)
		}
		files[name] = file
		return within(err, "tensor %s", quoted(name))
	})
	return files, err
}

// shardName accepts plain file names only: an index must not reach outside of its directory.
func shardName(file, ending string) bool {
	return filepath.IsLocal(file) && !strings.ContainsAny(file, `/\:`) && !strings.ContainsFunc(file, unicode.IsControl) &&
		strings.HasSuffix(file, ending)
}

// formatIndex spells an index as Hugging Face tools do.
func formatIndex(files map[string]string, size int64) []byte {
	text := []byte("{\n  \"metadata\": {\n    \"total_size\": " + strconv.FormatInt(size, 10) + "\n  },\n  \"weight_map\": ")
	table, _ := json.MarshalIndent(files, "  ", "  ") // strings only: cannot fail; keys come out sorted
	return append(append(text, table...), "\n}\n"...)
}
