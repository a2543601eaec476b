package probe

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"slices"

	"syncretic/checkpoint"
	"syncretic/checkpoint/half"
)

// A shard is one safetensors file of a cache: the tensor "features" [rows][layers][dim], F32 or F16, and two keys of metadata: what is in
// it, as JSON, and a CRC-32C (Castagnoli) over that text and the tensor's bytes.
const (
	shardTensor = "features"
	shardKey    = "syncretic.features"
	shardSumKey = "syncretic.features_crc32c"
)

// shardInfo says what is in a shard.
type shardInfo struct {
	Key    string           `json:"key"`   // of the features
	Shard  int              `json:"shard"` // from 0
	DType  checkpoint.DType `json:"dtype"`
	Layers int              `json:"layers"` // 0 where all items are left out, as is Dim
	Dim    int              `json:"dim"`
	Items  []shardItem      `json:"items"` // all of the shard's, in order
}

// shardItem is an item of a shard.
type shardItem struct {
	ID      string  `json:"id"`
	Start   float64 `json:"start,omitempty"` // s
	End     float64 `json:"end,omitempty"`   // s
	Rows    int     `json:"rows"`
	Skipped string  `json:"skipped,omitempty"` // why it has none
}

// rows is the number of rows of all items.
func (s shardInfo) rows() int {
	n := 0
	for _, item := range s.Items {
		n += item.Rows
	}
	return n
}

// rawFeatures is the tensor of a shard under construction, as a Source.
type rawFeatures struct {
	info checkpoint.Info
	raw  []byte
}

func (r rawFeatures) Tensors() []checkpoint.Info { return []checkpoint.Info{r.info} }

func (r rawFeatures) Raw(string) ([]byte, error) { return r.raw, nil }

// Read is never asked for: a Source that has its bytes is copied.
func (r rawFeatures) Read(string, int, []float32) error { return errors.ErrUnsupported }

// writeShard stores rows, as one byte string, of the items that info lists.
func writeShard(ctx context.Context, path string, info shardInfo, raw []byte) error {
	text, err := json.Marshal(info)
	if err != nil {
		return err
	}
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Update(crc32.Checksum(text, table), table, raw)
	shape := []int{info.rows(), info.Layers, info.Dim}
	return checkpoint.Write(ctx, path, rawFeatures{checkpoint.Info{Name: shardTensor, DType: info.DType, Shape: shape}, raw},
		checkpoint.WriteOptions{Force: true, Metadata: map[string]string{shardKey: string(text), shardSumKey: fmt.Sprintf("%08x", sum)}})
}

// appendValues appends values as they are stored. Where F16 cannot hold one, the index is that of the first such, else −1.
func appendValues(raw []byte, values []float32, dtype checkpoint.DType) ([]byte, int) {
	if dtype == checkpoint.F16 {
		raw = append(raw, make([]byte, 2*len(values))...)
		return raw, half.ToF16(raw[len(raw)-2*len(values):], values)
	}
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return raw, -1
}

// shard is an open one.
type shard struct {
	shardInfo
	model *checkpoint.Model
	view  []float32 // [rows][layers][dim], of mapped bytes; nil where they are to be converted
}

// openShard opens a shard and reads it once to check it. The error wraps fs.ErrNotExist where it is not there, and ErrInvalid or
// checkpoint.ErrInvalid where it is not what was written.
func openShard(path string, want shardInfo) (*shard, error) {
	m, err := checkpoint.Open(path)
	if err != nil {
		return nil, err
	}
	s := &shard{model: m}
	if err := s.check(want); err != nil {
		m.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	m.Forget()
	return s, nil
}

func (s *shard) check(want shardInfo) error {
	metadata := s.model.Metadata()
	text := []byte(metadata[shardKey])
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	sum.Write(text)
	if err := s.model.Sum(shardTensor, sum); err != nil {
		return err
	}
	if got := fmt.Sprintf("%08x", sum.Sum32()); got != metadata[shardSumKey] {
		return fmt.Errorf("%w: its bytes have the CRC-32C %s, it was written with %q", ErrInvalid, got, metadata[shardSumKey])
	}
	if err := json.Unmarshal(text, &s.shardInfo); err != nil {
		return fmt.Errorf("%w: metadata %s: %w", ErrInvalid, shardKey, err)
	}
	info, _ := checkpoint.Find(s.model, shardTensor)
	if s.Key != want.Key || s.Shard != want.Shard || s.DType != want.DType || len(s.Items) != len(want.Items) ||
		info.DType != s.DType || !slices.Equal(info.Shape, []int{s.rows(), s.Layers, s.Dim}) {
		return fmt.Errorf("%w: shard %d of features %s, %s %v of %d items; want shard %d of %s, %s, of %d items", ErrInvalid,
			s.Shard, s.Key, info.DType, info.Shape, len(s.Items), want.Shard, want.Key, want.DType, len(want.Items))
	}
	raw, err := s.model.Raw(shardTensor)
	if err != nil {
		return err
	}
	if s.DType == checkpoint.F32 {
		s.view, _ = checkpoint.Floats(raw)
	}
	return nil
}

// row returns the i-th row of the shard.
func (s *shard) row(i int, buf []float32) ([]float32, error) {
	size := s.Layers * s.Dim
	if s.view != nil {
		return s.view[i*size : (i+1)*size : (i+1)*size], nil
	}
	if cap(buf) < size {
		buf = make([]float32, size)
	}
	buf = buf[:size]
	return buf, s.model.Read(shardTensor, i*size, buf)
}

// spoilt tells an error about a shard's contents.
func spoilt(err error) bool {
	return errors.Is(err, ErrInvalid) || errors.Is(err, checkpoint.ErrInvalid)
}

// missing tells the error of a shard that is not there.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
