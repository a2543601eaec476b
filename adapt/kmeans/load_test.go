package kmeans_test

import (
	"errors"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"syncretic/adapt/kmeans"
	"syncretic/checkpoint"
)

func TestLoadGivesTheSameCodes(t *testing.T) {
	frames := blobs(900, 6, 20, 8)
	q := fitted(t, frames, 6, kmeans.Config{Codebooks: 12, Size: 8, Iterations: 3, Seed: 5}) // "10" sorts before "2"
	path := filepath.Join(t.TempDir(), "codebooks.safetensors")
	if err := checkpoint.Write(t.Context(), path, q.Source(), checkpoint.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	m, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	back, err := kmeans.Load(m)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back.Encode(frames), q.Encode(frames)) {
		t.Error("codes differ after a file")
	}
	if !reflect.DeepEqual(back.ResidualVariance(), q.ResidualVariance()) {
		t.Errorf("residual variance %v, want %v", back.ResidualVariance(), q.ResidualVariance())
	}
	if back.Codebooks() != 12 || back.Size() != 8 || back.Dim() != 6 {
		t.Errorf("%d codebooks of %d by %d", back.Codebooks(), back.Size(), back.Dim())
	}
}

func TestLoadRefuses(t *testing.T) {
	tensor := func(name string, shape ...int) checkpoint.Tensor {
		n := 1
		for _, s := range shape {
			n *= s
		}
		return checkpoint.Tensor{Name: name, Shape: shape, Data: make([]float32, n)}
	}
	infinite := tensor("codebooks.0", 4, 3)
	infinite.Data[5] = float32(math.Inf(1))
	tests := []struct {
		name    string
		tensors []checkpoint.Tensor
		want    string
	}{
		{"nothing", nil, `no tensor "codebooks.0"`},
		{"no variance", []checkpoint.Tensor{tensor("codebooks.0", 4, 3)}, `no tensor "residual_variance"`},
		{"no codebooks", []checkpoint.Tensor{tensor("residual_variance", 1)}, `no tensor "codebooks.0"`},
		{"another tensor", []checkpoint.Tensor{tensor("codebooks.0", 4, 3), tensor("mean", 3), tensor("residual_variance", 1)}, `tensor "mean"`},
		{"a gap", []checkpoint.Tensor{tensor("codebooks.0", 4, 3), tensor("codebooks.2", 4, 3), tensor("residual_variance", 2)}, `no tensor "codebooks.1"`},
		{"a number twice", []checkpoint.Tensor{tensor("codebooks.0", 4, 3), tensor("codebooks.01", 4, 3), tensor("residual_variance", 2)}, `no tensor "codebooks.1"`},
		{"other shapes", []checkpoint.Tensor{tensor("codebooks.0", 4, 3), tensor("codebooks.1", 5, 3), tensor("residual_variance", 2)}, `tensor "codebooks.1": F32 [5 3], want F32 [4 3]`},
		{"one dimension", []checkpoint.Tensor{tensor("codebooks.0", 12), tensor("residual_variance", 1)}, "want [size dim]"},
		{"variance of another length", []checkpoint.Tensor{tensor("codebooks.0", 4, 3), tensor("residual_variance", 3)}, `tensor "residual_variance"`},
		{"infinite", []checkpoint.Tensor{infinite, tensor("residual_variance", 1)}, `tensor "codebooks.0": element 5 is +Inf`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			src, err := checkpoint.NewMemory(test.tensors...)
			if err != nil {
				t.Fatal(err)
			}
			_, err = kmeans.Load(src)
			if !errors.Is(err, kmeans.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want ErrInvalid with %q", err, test.want)
			}
		})
	}
}
