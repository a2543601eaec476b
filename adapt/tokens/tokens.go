// Package tokens keeps recordings' discrete codes on disk, as the tokens verb writes them and training reads them.
//
//	set, err := tokens.Open("tokens")                // a folder with a manifest, or one file of many recordings
//	codes, err := set.Of("songs/one.wav")            // of one recording, open
//	err = codes.Read(0, 75, 1024, row)               // of codebook 0, from frame 75 on; codes are below 1024
//
// A folder holds a safetensors file a recording, with the tensor "codes", I16 [codebooks][frames], and manifest.csv, which says what is
// from where: [Row]. A file, whose name ends in .safetensors, holds a tensor a recording, of any integers, [codebooks][frames], named by
// the recording's path. [Origin] is how codes were made, which both say in their metadata.
package tokens

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"syncretic/checkpoint"
)

// ErrInvalid marks a manifest or codes that are not what they should be.
var ErrInvalid = errors.New("invalid tokens")

// tensorName is the tensor of a folder's files.
const tensorName = "codes"

// ManifestName is the list of the recordings in a folder.
const ManifestName = "manifest.csv"

// Origin is how codes were made. What a file does not say is zero.
type Origin struct {
	Model      string // the SHA-256 of the encoder's weights
	Codebooks  int
	Size       int // entries of a codebook: codes are below it
	SampleRate int // Hz, of the audio that was encoded
	FrameRate  int // frames a second
	Resampler  string
}

// The metadata of files of codes.
const (
	metaModel      = "syncretic.model_sha256"
	metaAudio      = "syncretic.audio_sha256"
	metaCodebooks  = "syncretic.codebooks"
	metaSize       = "syncretic.codebook_size"
	metaSampleRate = "syncretic.sample_rate"
	metaFrameRate  = "syncretic.frame_rate"
	metaResampler  = "syncretic.resampler"
)

// Metadata is what a file of such codes says of them.
func (o Origin) Metadata() map[string]string {
	return map[string]string{metaModel: o.Model, metaCodebooks: strconv.Itoa(o.Codebooks), metaSize: strconv.Itoa(o.Size),
		metaSampleRate: strconv.Itoa(o.SampleRate), metaFrameRate: strconv.Itoa(o.FrameRate), metaResampler: o.Resampler}
}

// originOf reads what Metadata wrote.
func originOf(meta map[string]string) Origin {
	number := func(key string) int {
		n, err := strconv.Atoi(meta[key])
		if err != nil {
			return 0
		}
		return max(n, 0)
	}
	return Origin{Model: meta[metaModel], Codebooks: number(metaCodebooks), Size: number(metaSize), SampleRate: number(metaSampleRate),
		FrameRate: number(metaFrameRate), Resampler: meta[metaResampler]}
}

// FileName is the file of a recording in a folder: named for people, and by the SHA-256 of its bytes, so that recordings of one name in
// several folders stay apart.
func FileName(recording, sha256 string) string {
	stem := strings.TrimSuffix(filepath.Base(recording), filepath.Ext(recording))
	if stem == "" {
		stem = "recording"
	}
	return stem + "-" + sha256[:12] + ".safetensors"
}

// Write stores one recording's codes, [codebook][frame], as a file of a folder. sha256 is that of the recording's bytes; o.Metadata is added
// to.
func Write(ctx context.Context, path, sha256 string, codes [][]int16, o checkpoint.WriteOptions) error {
	meta := map[string]string{metaAudio: sha256}
	for key, value := range o.Metadata {
		meta[key] = value
	}
	o.Metadata = meta
	return checkpoint.Write(ctx, path, newCodes(codes), o)
}

// packed is a [checkpoint.RawSource] of one tensor of codes: 2 bytes a code, so that long recordings stay small.
type packed struct {
	info []checkpoint.Info
	raw  []byte
}

func newCodes(codes [][]int16) packed {
	shape := []int{len(codes), len(codes[0])}
	raw := make([]byte, 0, 2*shape[0]*shape[1])
	for _, row := range codes {
		for _, c := range row {
			raw = binary.LittleEndian.AppendUint16(raw, uint16(c))
		}
	}
	return packed{[]checkpoint.Info{{Name: tensorName, DType: checkpoint.I16, Shape: shape}}, raw}
}

func (p packed) Tensors() []checkpoint.Info { return p.info }

func (p packed) Raw(string) ([]byte, error) { return p.raw, nil }

func (p packed) Read(_ string, offset int, dst []float32) error {
	for i := range dst {
		dst[i] = float32(int16(binary.LittleEndian.Uint16(p.raw[2*(offset+i):])))
	}
	return nil
}

// Held returns the number of frames in a folder's file, which must hold the codes of the recording with these bytes, of this origin; that
// it holds something else wraps fs.ErrExist.
func Held(path, sha256 string, o Origin) (frames int, err error) {
	m, err := checkpoint.Open(path)
	if err != nil {
		return 0, err
	}
	defer m.Close()
	meta := m.Metadata()
	info, ok := checkpoint.Find(m, tensorName)
	if !ok || len(info.Shape) != 2 || info.DType != checkpoint.I16 || meta[metaAudio] != sha256 || originOf(meta) != o {
		return 0, fmt.Errorf("%s: holds something other than the codes of this model and recording: %w", path, fs.ErrExist)
	}
	return info.Shape[1], nil
}
