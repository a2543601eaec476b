package corpus_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"syncretic/adapt/audio"
	"syncretic/examples/corpus"
)

func ExampleCultures() {
	for _, c := range corpus.Cultures() {
		fmt.Println(c.Name, c.Tags()[0])
	}
	// Output:
	// western mode:dorian
	// turkish-makam mode:Hicaz
	// hindustani mode:Bageshri
	// carnatic mode:Hanumatodi
	// greek mode:Hitzaz
}

func ExampleCulture_Clip() {
	greek := corpus.Cultures()[4]
	samples, tags := greek.Clip(1, 0, 2)
	fmt.Println(len(samples), len(tags) >= 3)
	// Output: 48000 true
}

func ExampleWrite() {
	dir, err := os.MkdirTemp("", "corpora")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for _, c := range corpus.Cultures()[:2] {
		manifest, err := corpus.Write(context.Background(), dir, c, corpus.Options{Seed: 1, Seconds: 1, Train: 4, Valid: 1, Test: 2})
		if err != nil {
			fmt.Println(err)
			return
		}
		entries, err := audio.ReadManifest(manifest)
		if err != nil {
			fmt.Println(err)
			return
		}
		name, _ := filepath.Rel(dir, manifest)
		fmt.Println(filepath.ToSlash(name), len(entries), entries[0].ID)
	}
	// Output:
	// western/manifest.csv 7 audio/00000.wav
	// turkish-makam/manifest.csv 7 audio/00000.wav
}
