package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"

	"syncretic/checkpoint"
)

// The names under which features are saved: one tensor, and metadata beside the caller's.
const (
	featuresTensor = "features" // F32 [items][layers][dim]
	featuresItems  = "probe.items"
	featuresSchema = "probe.schema"
)

const schema = 1

// savedItem identifies an item in a saved file.
type savedItem struct {
	ID    string  `json:"id"`
	Start float64 `json:"start,omitempty"`
	End   float64 `json:"end,omitempty"`
}

// Save writes the features as one safetensors file: tensor "features" [items][layers][dim] and the items' ids and crops in
// the metadata, beside the caller's provenance (the encoder's hash, the window, a content key), whose names must not
// start with "probe.". A path that does not end in .safetensors is an error; an existing file without force wraps
// fs.ErrExist.
func (f *Features) Save(ctx context.Context, path string, ds *Dataset, metadata map[string]string, force bool) error {
	if !isSafetensors(path) {
		return fmt.Errorf("%w: features file %s: want a name ending in .safetensors", ErrConfig, path)
	}
	items := make([]savedItem, len(f.Items))
	for i, at := range f.Items {
		items[i] = savedItem{ds.Items[at].ID, ds.Items[at].Start, ds.Items[at].End}
	}
	list, err := json.Marshal(items)
	if err != nil {
		return err
	}
	all := map[string]string{featuresItems: string(list), featuresSchema: strconv.Itoa(schema)}
	for key, value := range metadata {
		if _, taken := all[key]; taken {
			return fmt.Errorf("%w: metadata key %q is the file's own", ErrConfig, key)
		}
		all[key] = value
	}
	src, err := checkpoint.NewMemory(checkpoint.Tensor{Name: featuresTensor, Shape: []int{len(f.Items), f.Layers, f.Dim}, Data: f.Values})
	if err != nil {
		return err
	}
	return checkpoint.Write(ctx, path, src, checkpoint.WriteOptions{Metadata: all, Force: force})
}

// LoadFeatures reads what Save wrote, for the same dataset or another that holds the same items: they are found by id and
// crop, in any order. It returns the caller's metadata too. Errors wrap ErrInvalid and name the first item that the dataset
// lacks; fs.ErrNotExist for a missing file.
func LoadFeatures(path string, ds *Dataset) (*Features, map[string]string, error) {
	m, err := checkpoint.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer m.Close()
	metadata := m.Metadata()
	if got := metadata[featuresSchema]; got != strconv.Itoa(schema) {
		return nil, nil, fmt.Errorf("%w: %s: schema of features is %q, want %d", ErrInvalid, path, got, schema)
	}
	var items []savedItem
	if err := json.Unmarshal([]byte(metadata[featuresItems]), &items); err != nil {
		return nil, nil, fmt.Errorf("%w: %s: metadata %s: %w", ErrInvalid, path, featuresItems, err)
	}
	info, ok := checkpoint.Find(m, featuresTensor)
	if !ok || info.DType != checkpoint.F32 || len(info.Shape) != 3 || info.Shape[0] != len(items) {
		return nil, nil, fmt.Errorf("%w: %s: tensor %q is %s %v, want F32 [%d layers dim]", ErrInvalid, path, featuresTensor, info.DType, info.Shape, len(items))
	}
	values, err := checkpoint.ReadAll(m, featuresTensor)
	if err != nil {
		return nil, nil, err
	}
	if i, ok := allFinite(values); !ok {
		return nil, nil, fmt.Errorf("%w: %s: tensor %q: element %d is %v", ErrInvalid, path, featuresTensor, i, values[i])
	}
	saved := &Features{Layers: info.Shape[1], Dim: info.Shape[2], Values: values}
	rows := make(map[savedItem]int, len(items)) // of saved
	for i, item := range items {
		rows[item] = i
	}
	out := &Features{Layers: saved.Layers, Dim: saved.Dim, Values: make([]float32, 0, len(values))}
	for at, item := range ds.Items {
		key := savedItem{item.ID, item.Start, item.End}
		if i, ok := rows[key]; ok {
			out.Items = append(out.Items, at)
			out.Values = append(out.Values, saved.Row(i)...)
			delete(rows, key)
		}
	}
	for _, item := range items {
		if _, left := rows[item]; left {
			return nil, nil, fmt.Errorf("%w: %s: features of %s, which dataset %q lacks", ErrInvalid, path, item.ID, ds.Name)
		}
	}
	maps.DeleteFunc(metadata, func(key, _ string) bool { return key == featuresItems || key == featuresSchema })
	return out, metadata, nil
}
