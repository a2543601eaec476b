package checkpoint_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"syncretic/checkpoint"
)

func ExampleOpen() {
	model, err := checkpoint.Open("testdata/sharded")
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	for _, info := range model.Tensors() {
		fmt.Println(info.Name, info.DType, info.Shape, info.Bytes(), "bytes")
	}
	// Output:
	// a.weight F32 [2 2] 16 bytes
	// b.weight F32 [3] 12 bytes
	// c.bias BF16 [4] 8 bytes
}

func ExampleWrite() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	weights, err := checkpoint.NewMemory(
		checkpoint.Tensor{Name: "weight", Shape: []int{2, 2}, Data: []float32{1, 2, 3, 4}},
		checkpoint.Tensor{Name: "bias", Shape: []int{2}, Data: []float32{0.5, -0.5}},
	)
	if err != nil {
		log.Fatal(err)
	}
	out := filepath.Join(dir, "model")
	err = checkpoint.Write(context.Background(), out, weights, checkpoint.WriteOptions{
		DType:     checkpoint.BF16,
		SideFiles: []checkpoint.SideFile{{Name: "config.json", Data: []byte("{}")}},
	})
	if err != nil {
		log.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(out, "*"))
	for _, file := range files {
		fmt.Println(filepath.Base(file))
	}
	// Output:
	// config.json
	// model.safetensors
}

// Two outputs of other types from one reading, and a lock file in the second, made from what was written.
func ExampleWriteAll() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	weights, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "weight", Shape: []int{2, 2}, Data: []float32{1, 2, 3, 4}})
	if err != nil {
		log.Fatal(err)
	}
	written, err := checkpoint.WriteAll(context.Background(),
		checkpoint.Output{Path: filepath.Join(dir, "half.safetensors"), Source: weights, Options: checkpoint.WriteOptions{DType: checkpoint.F16}},
		checkpoint.Output{Path: filepath.Join(dir, "model"), Source: weights, Options: checkpoint.WriteOptions{
			Digest: true,
			Proof: func(w checkpoint.Written) ([]checkpoint.SideFile, error) {
				return []checkpoint.SideFile{{Name: "lock.txt", Data: []byte(w.Tensors[0].Name + " " + w.Tensors[0].SHA256)}}, nil
			},
		}},
	)
	if err != nil {
		log.Fatal(err)
	}
	lock, err := os.ReadFile(filepath.Join(dir, "model", "lock.txt"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(written), "outputs;", string(lock))
	// Output: 2 outputs; weight 65abd3ebe8073b22963a1c90d3232922ffdd835bd63be2cdf09f1d3a2597c466
}

func ExampleHash() {
	weights, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "weight", Shape: []int{2}, Data: []float32{1, 2}})
	if err != nil {
		log.Fatal(err)
	}
	hash, err := checkpoint.Hash(weights)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(hash)
	// Output: 6f1471ece10a37e0ee11c55d4c28954a588b6abddf28cc01377517b9656cec3d
}

func ExampleHashFiles() {
	sums, err := checkpoint.HashFiles(context.Background(), []string{"testdata/sharded/model.safetensors.index.json"}, "")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sums[0])
	// Output: 5cbc044a0c13a4bbff0b87d38a040d896a5baace16fa325e811944ea95e41e28
}

func ExampleUnion() {
	a, _ := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: []int{1}, Data: []float32{1}})
	tokens, _ := checkpoint.NewIntegers("tokens", checkpoint.I64, []int{2}, []int64{7, 1023})
	b, _ := checkpoint.NewMemory(tokens)
	both, err := checkpoint.Union(a, checkpoint.Prefix(b, "clip."))
	if err != nil {
		log.Fatal(err)
	}
	values, _ := checkpoint.ReadIntegers(both, "clip.tokens")
	fmt.Println(len(both.Tensors()), values)
	// Output: 2 [7 1023]
}
