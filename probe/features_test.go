package probe

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

// sample returns a dataset of five items and features [2][3] of them, value k being k.
func sample() (*Dataset, *Features) {
	ds := &Dataset{Name: "set", Tags: []string{"x"}}
	f := &Features{Layers: 2, Dim: 3}
	for i, split := range []string{Train, Valid, Train, Test, Train} {
		ds.Items = append(ds.Items, Item{ID: string(rune('a'+i)) + ".wav", Split: split, Labels: []bool{i%2 == 0}, End: float64(i)})
		f.Items = append(f.Items, i)
		for range 6 {
			f.Values = append(f.Values, float32(len(f.Values)))
		}
	}
	return ds, f
}

func TestSplit(t *testing.T) {
	ds, f := sample()
	s, err := f.Split(ds, Train)
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != Train || !slices.Equal(s.Tags, ds.Tags) || !slices.Equal(s.Features.Items, []int{0, 2, 4}) {
		t.Errorf("got %q %v %v", s.Name, s.Tags, s.Features.Items)
	}
	if want := []float32{12, 13, 14, 15, 16, 17}; !slices.Equal(s.Features.Row(1), want) || !s.Labels[1][0] || len(s.Labels) != 3 {
		t.Errorf("row %v, labels %v, want %v", s.Features.Row(1), s.Labels, want)
	}
	if _, err := f.Split(ds, "dev"); !errors.Is(err, ErrInvalid) {
		t.Errorf("unknown split: got %v", err)
	}
	f.Items, f.Values = f.Items[:4], f.Values[:24]
	if _, err := f.Split(ds, Train); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "no features of e.wav") {
		t.Errorf("an item without features: got %v", err)
	}
}

func TestSaveAndLoadFeatures(t *testing.T) {
	ds, f := sample()
	path := filepath.Join(t.TempDir(), "features.safetensors")
	given := map[string]string{"model.sha256": "1f", "window": "5"}
	if err := f.Save(context.Background(), path, ds, given, false); err != nil {
		t.Fatal(err)
	}
	got, metadata, err := LoadFeatures(path, ds)
	if err != nil {
		t.Fatal(err)
	}
	if got.Layers != 2 || got.Dim != 3 || !slices.Equal(got.Items, f.Items) || !slices.Equal(got.Values, f.Values) {
		t.Errorf("read back %+v, want %+v", got, f)
	}
	if metadata["model.sha256"] != "1f" || metadata["window"] != "5" || metadata[featuresItems] != "" {
		t.Errorf("metadata %v, want the caller's %v", metadata, given)
	}
	slices.Reverse(ds.Items)
	moved, _, err := LoadFeatures(path, ds)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(moved.Row(0), f.Row(4)) || !slices.Equal(moved.Items, f.Items) {
		t.Errorf("of the reversed dataset: items %v, first row %v", moved.Items, moved.Row(0))
	}
	if err := f.Save(context.Background(), path, ds, nil, false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an existing file: got %v, want fs.ErrExist", err)
	}
	if err := f.Save(context.Background(), path, ds, nil, true); err != nil {
		t.Errorf("with force: %v", err)
	}
}

func TestSaveFeaturesRefuses(t *testing.T) {
	ds, f := sample()
	dir := t.TempDir()
	if err := f.Save(context.Background(), filepath.Join(dir, "features"), ds, nil, false); !errors.Is(err, ErrConfig) {
		t.Errorf("no extension: got %v", err)
	}
	err := f.Save(context.Background(), filepath.Join(dir, "f.safetensors"), ds, map[string]string{"probe.items": "x"}, false)
	if !errors.Is(err, ErrConfig) {
		t.Errorf("a taken key: got %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("files were left: %v", left)
	}
}

func TestLoadFeaturesRefuses(t *testing.T) {
	ds, f := sample()
	dir := t.TempDir()
	good := filepath.Join(dir, "good.safetensors")
	if err := f.Save(context.Background(), good, ds, nil, false); err != nil {
		t.Fatal(err)
	}
	other := &Dataset{Name: "other", Items: ds.Items[:4]}
	if _, _, err := LoadFeatures(good, other); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), `features of e.wav, which dataset "other" lacks`) {
		t.Errorf("another dataset: got %v", err)
	}
	if _, _, err := LoadFeatures(filepath.Join(dir, "none.safetensors"), ds); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: got %v", err)
	}
	items := `[{"id":"a.wav"}]`
	for _, c := range []struct {
		name     string
		tensor   checkpoint.Tensor
		metadata map[string]string
		want     string
	}{
		{"no schema", checkpoint.Tensor{Name: "features", Shape: []int{1, 1, 1}, Data: []float32{1}}, nil, "schema of features"},
		{"no items", checkpoint.Tensor{Name: "features", Shape: []int{1, 1, 1}, Data: []float32{1}}, map[string]string{featuresSchema: "1"}, featuresItems},
		{"another name", checkpoint.Tensor{Name: "f", Shape: []int{1, 1, 1}, Data: []float32{1}}, map[string]string{featuresSchema: "1", featuresItems: items}, `tensor "features"`},
		{"another shape", checkpoint.Tensor{Name: "features", Shape: []int{2, 1, 1}, Data: []float32{1, 2}}, map[string]string{featuresSchema: "1", featuresItems: items}, "want F32 [1 layers dim]"},
		{"not finite", checkpoint.Tensor{Name: "features", Shape: []int{1, 1, 1}, Data: []float32{float32(math.Inf(1))}}, map[string]string{featuresSchema: "1", featuresItems: items}, "element 0 is +Inf"},
	} {
		src, err := checkpoint.NewMemory(c.tensor)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, c.name+".safetensors")
		if err := checkpoint.Write(context.Background(), path, src, checkpoint.WriteOptions{Metadata: c.metadata}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := LoadFeatures(path, ds); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want ErrInvalid with %s", c.name, err, c.want)
		}
	}
}
