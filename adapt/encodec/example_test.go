package encodec

import (
	"context"
	"fmt"
	"log"
	"os"

	"syncretic/checkpoint"
)

// small is the encoder of testdata/dilated.json, whose weights are a formula: see recipe.
func small() *Encoder {
	document, err := os.ReadFile("testdata/dilated.json")
	if err != nil {
		log.Fatal(err)
	}
	cfg, err := ParseConfig(document)
	if err != nil {
		log.Fatal(err)
	}
	weights, err := checkpoint.NewMemory(caseTensors("dilated", cfg)...)
	if err != nil {
		log.Fatal(err)
	}
	encoder, err := Load(cfg, weights)
	if err != nil {
		log.Fatal(err)
	}
	return encoder
}

// The codes of a clip: one row a codebook, one code a frame.
func ExampleEncoder_Encode() {
	encoder := small()
	codes, err := encoder.Encode(context.Background(), make([]float32, 24000), 2)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(codes), "codebooks,", len(codes[0]), "frames of", encoder.Config().Hop(), "samples")
	// Output: 2 codebooks, 1600 frames of 15 samples
}

// silence is a recording that is computed as it is read.
type silence struct{}

func (silence) ReadAt(dst []float32, _ int) error {
	clear(dst)
	return nil
}

// A recording of a minute, of which a second or so is in memory at a time.
func ExampleEncoder_EncodeFrom() {
	samples, last := 60*24000, 0
	codes, err := small().EncodeFrom(context.Background(), silence{}, samples, Options{
		Codebooks: 1,
		Progress:  func(done, _ int) { last = done },
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(last, "frames done,", len(codes[0]), "codes")
	// Output: 96000 frames done, 96000 codes
}
