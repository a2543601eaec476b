package encodec

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

// whole returns the tensors of a case with those that an EnCodec model has besides.
func whole(name string, cfg Config) []checkpoint.Tensor {
	one := []float32{1}
	return append(caseTensors(name, cfg),
		checkpoint.Tensor{Name: "decoder.layers.0.conv.bias", Shape: []int{1}, Data: one},
		checkpoint.Tensor{Name: "decoder.layers.0.conv.weight_g", Shape: []int{1}, Data: one},
		checkpoint.Tensor{Name: "quantizer.layers.0.codebook.inited", Shape: []int{1}, Data: one},
		checkpoint.Tensor{Name: "quantizer.layers.0.codebook.cluster_size", Shape: []int{1}, Data: one},
		checkpoint.Tensor{Name: "quantizer.layers.0.codebook.embed_avg", Shape: []int{1}, Data: one})
}

// old renames tensors to the spelling of the released files.
func old(list []checkpoint.Tensor) []checkpoint.Tensor {
	list = slices.Clone(list)
	for i := range list {
		list[i].Name = strings.Replace(list[i].Name, gainName, oldGainName, 1)
		list[i].Name = strings.Replace(list[i].Name, directionName, oldDirectionName, 1)
	}
	return list
}

// directory writes a model directory of the case "dilated".
func directory(t *testing.T, list []checkpoint.Tensor) string {
	t.Helper()
	config, err := os.ReadFile("testdata/dilated.json")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model")
	options := checkpoint.WriteOptions{SideFiles: []checkpoint.SideFile{{Name: "config.json", Data: config}}}
	if err := checkpoint.Write(t.Context(), path, source(t, list), options); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenReadsBothSpellings(t *testing.T) {
	cfg := caseConfig(t, "dilated")
	samples := caseSamples("dilated", 2003)
	var codes [][][]int16
	var hashes []string
	for _, list := range [][]checkpoint.Tensor{whole("dilated", cfg), old(whole("dilated", cfg))} {
		e, err := Open(directory(t, list))
		if err != nil {
			t.Fatal(err)
		}
		c, err := e.Encode(t.Context(), samples, 0)
		if err != nil {
			t.Fatal(err)
		}
		codes, hashes = append(codes, c), append(hashes, e.Hash())
	}
	for q := range codes[0] {
		if !slices.Equal(codes[0][q], codes[1][q]) {
			t.Errorf("codebook %d depends on the spelling of weight norm", q)
		}
	}
	if hashes[0] != hashes[1] || len(hashes[0]) != 64 {
		t.Errorf("hashes %q: want one, whatever the spelling", hashes)
	}
	if e := caseEncoder(t, "identity"); e.Hash() == hashes[0] {
		t.Error("two models have one hash")
	}
}

func TestOpenRefuses(t *testing.T) {
	path := directory(t, whole("dilated", caseConfig(t, "dilated")))
	if err := os.Remove(filepath.Join(path, "config.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "no config.json beside the weights") {
		t.Errorf("without config.json: %v", err)
	}
	if err := os.WriteFile(filepath.Join(path, "config.json"), []byte(`{"audio_channels": 2}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), filepath.Join(path, "config.json")+": ") {
		t.Errorf("48 kHz config: %v", err)
	}
	if _, err := Open(filepath.Join(path, "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	cfg := caseConfig(t, "dilated")
	at := func(list []checkpoint.Tensor, name string) *checkpoint.Tensor {
		i := slices.IndexFunc(list, func(x checkpoint.Tensor) bool { return x.Name == name })
		return &list[i]
	}
	const bias, direction, embed = "encoder.layers.0.conv.bias", "encoder.layers.0.conv." + directionName, "quantizer.layers.2.codebook.embed"
	for name, test := range map[string]struct {
		change func(list []checkpoint.Tensor) []checkpoint.Tensor
		want   string
	}{
		"missing": {func(l []checkpoint.Tensor) []checkpoint.Tensor {
			return slices.DeleteFunc(l, func(x checkpoint.Tensor) bool { return x.Name == embed })
		}, `tensor "` + embed + `" is missing, want shape [16 6]`},
		"shape": {func(l []checkpoint.Tensor) []checkpoint.Tensor {
			*at(l, bias) = checkpoint.Tensor{Name: bias, Shape: []int{2, 2}, Data: make([]float32, 4)}
			return l
		}, `tensor "` + bias + `": shape [2 2], want [4]`},
		"integers": {func(l []checkpoint.Tensor) []checkpoint.Tensor {
			x, err := checkpoint.NewIntegers(bias, checkpoint.I64, []int{4}, make([]int64, 4))
			if err != nil {
				t.Fatal(err)
			}
			*at(l, bias) = x
			return l
		}, `tensor "` + bias + `": dtype I64`},
		"unknown": {func(l []checkpoint.Tensor) []checkpoint.Tensor {
			return append(l, checkpoint.Tensor{Name: "encoder.extra", Shape: []int{1}, Data: []float32{0}})
		}, `tensor "encoder.extra" [1] is not part of this model`},
		"a codebook too many": {func(l []checkpoint.Tensor) []checkpoint.Tensor {
			return append(l, checkpoint.Tensor{Name: "quantizer.layers.3.codebook.embed", Shape: []int{16, 6}, Data: make([]float32, 96)})
		}, `tensor "quantizer.layers.3.codebook.embed" [16 6] is not part of this model`},
		"both spellings": {func(l []checkpoint.Tensor) []checkpoint.Tensor {
			x := *at(l, direction)
			x.Name = "encoder.layers.0.conv.weight_v"
			return append(l, x)
		}, "are the same weight"},
		"NaN": {func(l []checkpoint.Tensor) []checkpoint.Tensor {
			x := at(l, embed)
			x.Data = slices.Clone(x.Data)
			x.Data[5] /= 0
			return l
		}, `tensor "` + embed + `": element 5 is`},
		"a direction of no length": {func(l []checkpoint.Tensor) []checkpoint.Tensor {
			x := at(l, direction)
			x.Data = make([]float32, len(x.Data))
			return l
		}, `tensor "` + direction + `": a channel is all zeros`},
		"another model": {func([]checkpoint.Tensor) []checkpoint.Tensor {
			return []checkpoint.Tensor{{Name: "weight", Shape: []int{1}, Data: []float32{0}}}
		}, "no name matches"},
	} {
		_, err := Load(cfg, source(t, test.change(whole("dilated", cfg))))
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want one line with %s", name, err, test.want)
		}
	}
}
