package fuse_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"syncretic/checkpoint"
	"syncretic/sweep/fuse"
)

// A trial's merge, and the recipe that makes it again.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for name, x := range map[string]float32{"base": 1, "makam": 3} {
		m, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: []int{1}, Data: []float32{x}})
		if err != nil {
			log.Fatal(err)
		}
		if err := checkpoint.Write(context.Background(), filepath.Join(dir, name), m, checkpoint.WriteOptions{}); err != nil {
			log.Fatal(err)
		}
	}

	f, err := fuse.Open(filepath.Join(dir, "base"), map[string]string{"makam": filepath.Join(dir, "makam")}, fuse.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	m, err := f.Model(fuse.Choice{Method: "task_arithmetic", Weights: map[string]fuse.Weight{"makam": {Value: 0.25}}})
	if err != nil {
		log.Fatal(err)
	}
	w, err := checkpoint.ReadAll(m, "w")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(w)
	fmt.Print(strings.ReplaceAll(string(m.Recipe()), dir+"/", ""))
	// Output:
	// [1.5]
	// merge_method: task_arithmetic
	// base_model: "base"
	// models:
	//   - model: "makam"
	//     parameters:
	//       weight: 0.25
	// dtype: float32
}
