package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"syncretic/checkpoint"
	"syncretic/probe/metric"
)

// headFile is the JSON beside a saved head's weights.
const headFile = "head.json"

// savedHead is the content of headFile.
type savedHead struct {
	Schema int           `json:"schema"`
	Config HeadConfig    `json:"config"`
	Task   Task          `json:"task,omitempty"`
	Tags   []string      `json:"tags"`
	Layers int           `json:"layers"` // of the encoder
	Dim    int           `json:"dim"`
	Picked []int         `json:"picked_layers"`
	Chosen Chosen        `json:"chosen"`
	Valid  metric.Result `json:"valid"`
}

// schema is the version of a saved head.
const schema = 2

func isSafetensors(path string) bool { return filepath.Ext(path) == ".safetensors" }

// Save writes the head as a folder: model.safetensors with its weights and the means and scales of its inputs, and head.json
// with configuration, tags, choices and validation result. The folder appears whole or not at all; an existing one
// without force wraps fs.ErrExist. A path that ends in .safetensors is an error.
func (h *Fitted) Save(ctx context.Context, dir string, force bool) error {
	if isSafetensors(dir) {
		return fmt.Errorf("%w: head %s: want the name of a folder", ErrConfig, dir)
	}
	doc, err := json.MarshalIndent(savedHead{
		Schema: schema, Config: h.Config, Task: h.Task, Tags: h.Tags, Layers: h.Layers, Dim: h.Dim,
		Picked: h.scaler.layers, Chosen: h.Chosen, Valid: h.Valid,
	}, "", "  ")
	if err != nil {
		return err
	}
	inputs := []int{h.scaler.inputs()}
	src, err := checkpoint.NewMemory(append(h.model.tensors(),
		checkpoint.Tensor{Name: "input.mean", Shape: inputs, Data: h.scaler.mean},
		checkpoint.Tensor{Name: "input.scale", Shape: inputs, Data: h.scaler.scale})...)
	if err != nil {
		return err
	}
	return checkpoint.Write(ctx, dir, src, checkpoint.WriteOptions{
		Force: force, SideFiles: []checkpoint.SideFile{{Name: headFile, Data: append(doc, '\n')}},
	})
}

// LoadHead reads what [Fitted.Save] wrote; its scores are the saved head's, bit for bit. Errors wrap ErrInvalid for a folder
// that is not a head, and name the tensor or the key that does not fit; fs.ErrNotExist for a missing one.
func LoadHead(dir string) (*Fitted, error) {
	m, err := checkpoint.Open(dir)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	doc, err := m.SideFile(headFile)
	if err != nil {
		return nil, fmt.Errorf("%s is not a fitted head: %w", dir, err)
	}
	var elements int
	for _, info := range m.Tensors() {
		elements += info.Elements()
	}
	h, err := parseHead(doc, elements)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrInvalid, filepath.Join(dir, headFile), err)
	}
	want := append(h.model.tensors(),
		checkpoint.Tensor{Name: "input.mean", Shape: []int{h.scaler.inputs()}, Data: h.scaler.mean},
		checkpoint.Tensor{Name: "input.scale", Shape: []int{h.scaler.inputs()}, Data: h.scaler.scale})
	if got := len(m.Tensors()); got != len(want) {
		return nil, fmt.Errorf("%w: %s: %d tensors, want %d", ErrInvalid, dir, got, len(want))
	}
	for _, t := range want {
		info, ok := checkpoint.Find(m, t.Name)
		if !ok || info.DType != checkpoint.F32 || !slices.Equal(info.Shape, t.Shape) {
			return nil, fmt.Errorf("%w: %s: tensor %q is %s %v, want F32 %v", ErrInvalid, dir, t.Name, info.DType, info.Shape, t.Shape)
		}
		if err := m.Read(t.Name, 0, t.Data); err != nil {
			return nil, err
		}
		if i, ok := allFinite(t.Data); !ok {
			return nil, fmt.Errorf("%w: %s: tensor %q: element %d is %v", ErrInvalid, dir, t.Name, i, t.Data[i])
		}
	}
	if h.Config.Standardise || h.Config.Kind != MLP {
		h.scaler.prepare()
	}
	return h, nil
}

// parseHead returns the head that headFile describes, with all weights 0. It is an error when that takes more than the given
// number of elements, which the weights file is known to hold: nothing is allocated on the document's word alone.
func parseHead(doc []byte, elements int) (*Fitted, error) {
	var in savedHead
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return nil, err
	}
	if in.Schema != schema {
		return nil, fmt.Errorf("schema is %d, want %d", in.Schema, schema)
	}
	if err := in.Config.Validate(); err != nil {
		return nil, err
	}
	const mostLayers = 1 << 12
	if in.Layers < 1 || in.Layers > mostLayers || in.Dim < 1 || in.Dim > elements || len(in.Tags) == 0 {
		return nil, fmt.Errorf("features are [%d][%d] with %d tags, want 1 or more of each, at most %d layers and %d features", in.Layers, in.Dim, len(in.Tags), mostLayers, elements)
	}
	if err := in.Task.check(); err != nil {
		return nil, err
	}
	choices, err := in.Config.choices(in.Layers)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(choices, func(c candidate) bool { return c.layers == in.Chosen.Layers && slices.Equal(c.picked, in.Picked) })
	if at < 0 {
		return nil, fmt.Errorf("picked_layers are %v and chosen %q, which the configuration does not offer", in.Picked, in.Chosen.Layers)
	}
	picked := choices[at].picked
	h := &Fitted{Config: in.Config, Task: in.Task, Tags: in.Tags, Layers: in.Layers, Dim: in.Dim, Chosen: in.Chosen, Valid: in.Valid}
	inputs, tags := len(picked)*in.Dim, len(in.Tags)
	smallest := inputs // of the widths that a weight of the kind has
	if in.Config.Kind == MLP {
		smallest = in.Config.Hidden
	}
	if inputs > elements || smallest > elements/tags || in.Config.Kind == MLP && in.Config.Hidden > elements/in.Dim {
		return nil, fmt.Errorf("[%d][%d] features and %d tags take more than the %d elements of the weights", in.Layers, in.Dim, tags, elements)
	}
	h.scaler = emptyScaler(picked, in.Dim)
	if in.Config.Kind != MLP {
		h.model = emptyLinear(inputs, tags)
		return h, nil
	}
	h.model = emptyMLP(len(picked), in.Dim, in.Config.Hidden, tags)
	return h, nil
}
