package audio_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"syncretic/adapt/audio"
)

func ExampleOpen() {
	f, err := audio.Open("testdata/pcm16_stereo.wav")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	crop := make([]float32, 3)
	if err := f.ReadAt(crop, 0); err != nil {
		log.Fatal(err)
	}
	fmt.Println(f.Rate, f.Channels, f.Frames)
	fmt.Printf("%.3f\n", crop)
	// Output:
	// 24000 2 200
	// [1.000 -1.000 0.083]
}

func ExampleRead() {
	samples, err := audio.Read("testdata/flac16_mono.flac")
	fmt.Println(len(samples), err)
	// Output: 5000 <nil>
}

func ExampleReadManifest() {
	dir, err := os.MkdirTemp("", "audio")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := audio.WriteWAV(filepath.Join(dir, "taksim.wav"), make([]float32, 48000), false); err != nil {
		log.Fatal(err)
	}
	manifest := filepath.Join(dir, "makam.csv")
	err = audio.WriteManifest(manifest, []audio.Entry{
		{ID: "taksim.wav", Start: 0, End: 1.5, Split: "train", Tags: []string{"hicaz", "ney"}},
		{ID: "taksim.wav", Start: 1.5, End: 2, Split: "test", Tags: []string{"hicaz"}},
	}, false)
	if err != nil {
		log.Fatal(err)
	}
	entries, err := audio.ReadManifest(manifest)
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range entries {
		samples, err := e.Read()
		fmt.Println(e.ID, e.Split, e.Tags, len(samples), err)
	}
	// Output:
	// taksim.wav train [hicaz ney] 36000 <nil>
	// taksim.wav test [hicaz] 12000 <nil>
}

func ExampleOptions_Read() {
	f, err := audio.Open("testdata/stereo44.mp3")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	fmt.Println(f.SourceRate, f.SourceFrames, "become", f.Rate, f.Frames)
	samples, err := audio.Options{Rate: 16000, Resampling: audio.Torchaudio}.Read("testdata/stereo44.mp3")
	fmt.Println(len(samples), err)
	// Output:
	// 44100 26460 become 24000 14400
	// 9600 <nil>
}

func ExampleResampler() {
	r, err := audio.NewResampler(audio.Kaiser, 48000, 24000)
	if err != nil {
		log.Fatal(err)
	}
	var out []float32
	for range 10 { // as blocks come in
		out = r.Append(out, make([]float32, 1000))
	}
	out = r.Flush(out)
	fmt.Println(len(out))
	// Output: 5000
}
