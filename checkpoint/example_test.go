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
