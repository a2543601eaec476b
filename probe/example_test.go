package probe_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"syncretic/adapt/audio"
	"syncretic/probe"
)

// loudness is an encoder with one layer of one feature: the mean square of the samples.
type loudness struct{}

func (loudness) Features(samples []float32) ([][]float32, error) {
	var sum float64
	for _, s := range samples {
		sum += float64(s) * float64(s)
	}
	return [][]float32{{float32(sum / float64(len(samples)))}}, nil
}

// corpus writes twelve tones of one second, every third of them loud, and their manifest.
func corpus(dir string) (manifest string, err error) {
	var entries []audio.Entry
	for i := range 12 {
		gain, tag := 0.1+0.01*float64(i), "soft"
		if i%3 == 0 {
			gain, tag = 0.8, "loud"
		}
		samples := make([]float32, audio.SampleRate)
		for k := range samples {
			samples[k] = float32(gain * math.Sin(2*math.Pi*440*float64(k)/audio.SampleRate))
		}
		id := fmt.Sprintf("tone%02d.wav", i)
		if err := audio.WriteWAV(filepath.Join(dir, id), samples, false); err != nil {
			return "", err
		}
		split := []string{probe.Train, probe.Train, probe.Train, probe.Valid, probe.Valid, probe.Test}[i%6]
		if i < 3 {
			split = probe.Test
		}
		entries = append(entries, audio.Entry{ID: id, Path: filepath.Join(dir, id), Split: split, Tags: []string{tag}})
	}
	manifest = filepath.Join(dir, "tones.csv")
	return manifest, audio.WriteManifest(manifest, entries, false)
}

// The whole path: manifest, features, head, result.
func Example() {
	dir, err := os.MkdirTemp("", "probe")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	manifest, err := corpus(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	ds, err := probe.OpenDataset("tones", manifest, probe.DatasetOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	features, err := probe.Extract(ctx, ds, loudness{}, probe.ExtractOptions{Window: 5})
	if err != nil {
		fmt.Println(err)
		return
	}
	splits := map[string]probe.Split{}
	for _, name := range []string{probe.Train, probe.Valid, probe.Test} {
		if splits[name], err = features.Split(ds, name); err != nil {
			fmt.Println(err)
			return
		}
	}
	head := probe.DefaultHead()
	head.Kind, head.L2 = probe.Logistic, []float64{0.1, 1}
	eval, err := probe.FitAndScore(ctx, splits[probe.Train], splits[probe.Valid], splits[probe.Test], head, []uint64{1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ds.Tags)
	fmt.Printf("test ROC-AUC %.2f\n", *eval.Test.ROCAUC.Mean)
	// Output:
	// [soft loud]
	// test ROC-AUC 1.00
}

func ExampleParseConfig() {
	_, err := probe.ParseConfig([]byte("datasets: [{name: makam, manifst: makam.csv}]"))
	fmt.Println(err)
	cfg, err := probe.ParseConfig([]byte("datasets: [{name: makam, manifest: makam.csv, tags: 30}]\nhead: {kind: logistic}"))
	fmt.Println(cfg.Datasets[0].Tags, cfg.Window, cfg.Head.L2, err)
	// Output:
	// invalid probe configuration: line 1: unknown key "manifst" (did you mean "manifest"?)
	// 30 5 [10 100 1000] <nil>
}

// Recordings with one feature each. The head is chosen on train and valid, and scores anything of the same shape.
func ExampleFit() {
	split := func(name string, first int, values []float32, labels ...bool) probe.Split {
		s := probe.Split{Name: name, Tags: []string{"vocal"}, Features: &probe.Features{Layers: 1, Dim: 1, Values: values}}
		for i, label := range labels {
			s.Features.Items = append(s.Features.Items, first+i)
			s.Labels = append(s.Labels, []bool{label})
		}
		return s
	}
	train := split(probe.Train, 0, []float32{1, 2, 8, 9}, false, false, true, true)
	valid := split(probe.Valid, 4, []float32{0, 7}, false, true)
	head := probe.DefaultHead()
	head.Kind, head.L2 = probe.Logistic, []float64{1}
	fitted, err := probe.Fit(context.Background(), train, valid, head)
	if err != nil {
		fmt.Println(err)
		return
	}
	scores, err := fitted.Scores(&probe.Features{Layers: 1, Dim: 1, Items: []int{6, 7}, Values: []float32{3, 7}})
	fmt.Printf("%.2f %.2f %v\n", scores[0][0], scores[1][0], err)
	// Output: 0.36 0.64 <nil>
}

func ExampleReadLabels() {
	labels, err := probe.ReadLabels("testdata/bool.npy")
	fmt.Println(labels[0], err)
	_, err = probe.ReadScores("testdata/flat.npy")
	fmt.Println(err)
	// Output:
	// [false true false] <nil>
	// testdata/flat.npy: invalid probe input: shape (12,), want two dimensions (items, tags)
}
