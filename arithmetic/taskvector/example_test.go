package taskvector_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"syncretic/arithmetic/taskvector"
	"syncretic/checkpoint"
)

// A vector is stored with an eighth of its elements, and read again.
func Example() {
	ctx := context.Background()
	data := make([]float32, 4000)
	for i := range data {
		data[i] = float32(i%8) / 8
	}
	tau, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: []int{50, 80}, Data: data})
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "tau.safetensors")

	encoded, err := taskvector.Encode(tau, taskvector.Options{Density: 0.125, DType: checkpoint.BF16})
	if err != nil {
		log.Fatal(err)
	}
	if err := checkpoint.Write(ctx, path, encoded, checkpoint.WriteOptions{Metadata: encoded.Metadata()}); err != nil {
		log.Fatal(err)
	}

	file, err := checkpoint.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	vector, err := taskvector.Decode(file)
	if err != nil {
		log.Fatal(err)
	}
	w, err := checkpoint.ReadAll(vector, "w")
	if err != nil {
		log.Fatal(err)
	}
	lost, err := taskvector.Lost(tau, vector, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(encoded.Kept, "of", len(w), w[:8])
	fmt.Printf("lost %.3f\n", lost.Relative)
	// Output:
	// 500 of 4000 [0 0 0 0 0 0 0 0.875]
	// lost 0.806
}
