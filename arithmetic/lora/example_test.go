package lora_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"syncretic/arithmetic/lora"
	"syncretic/checkpoint"
)

// An adapter of a tuned model, written as PEFT reads it, and merged into the base again.
func Example() {
	model := func(data ...float32) checkpoint.Source {
		m, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "up.weight", Shape: []int{2, 2}, Data: data})
		if err != nil {
			panic(err)
		}
		return m
	}
	base, tuned := model(1, 0, 0, 1), model(3, 0, 0, 1)
	x, err := lora.Extract(base, tuned, lora.ExtractOptions{Rank: 1})
	if err != nil {
		panic(err)
	}
	dir, err := os.MkdirTemp("", "lora")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "adapter")
	if err := checkpoint.Write(context.Background(), path, x, checkpoint.WriteOptions{Weights: lora.FileName, SideFiles: []checkpoint.SideFile{x.Config}}); err != nil {
		panic(err)
	}
	adapter, err := lora.Open(path)
	if err != nil {
		panic(err)
	}
	defer adapter.Close()
	merged, err := lora.Apply(base, adapter, 0.5)
	if err != nil {
		panic(err)
	}
	weights, err := checkpoint.ReadAll(merged, "up.weight")
	fmt.Printf("%.3v %v\n", weights, err)
	// Output: [2 0 0 1] <nil>
}
