package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"syncretic/adapt/audio"
	"syncretic/adapt/mert"
)

// audioBench makes an encoder, and recordings: two in order, of 2.5 and 1.2 s, and each way in which one can be wrong.
func (w workshop) audioBench() {
	w.t.Helper()
	w.model("base", narrow, 1)
	w.tone("long.wav", 440, 2.5)
	w.tone("short.wav", 330, 1.2)
	whole := w.read("short.wav")
	w.write("truncated.wav", whole[:len(whole)/3])
	w.write("noise.wav", "a text that somebody named .wav")
	w.write("slow.wav", strings.Replace(whole, "\xc0\x5d\x00\x00", "\x80\x01\x00\x00", 1)) // 24000 becomes 384
	w.tone("blip.wav", 440, 0.005)
}

func TestEmbedMeansOverWindows(t *testing.T) {
	w := newWorkshop(t)
	w.audioBench()
	before := w.contents()
	got := w.result("embed base long.wav short.wav -o f.safetensors --window 1")
	w.unchanged(before, "f.safetensors")
	if got["files"] != 2.0 || got["layers"] != 2.0 || got["dim"] != float64(narrow) || got["output"] != "f.safetensors" {
		t.Errorf("result %v, want 2 files, 2 layers of %d", got, narrow)
	}
	enc, err := mert.Open("base")
	w.must(err)
	features := w.weights("f.safetensors")
	for path, windows := range map[string]int{"long.wav": 2, "short.wav": 1} { // last windows under a second are dropped
		samples, err := audio.Read(path)
		w.must(err)
		var want [2][narrow]float64
		for k := range windows {
			f, err := enc.Features(samples[k*audio.SampleRate : (k+1)*audio.SampleRate])
			w.must(err)
			for l := range f {
				for d, v := range f[l] {
					want[l][d] += float64(v) / float64(windows)
				}
			}
		}
		for i, v := range features[path] {
			if math.Abs(float64(v)-want[i/narrow][i%narrow]) > 1e-6 {
				t.Fatalf("%s: feature %d is %v, want %v", path, i, v, want[i/narrow][i%narrow])
			}
		}
		if len(features[path]) != 2*narrow {
			t.Errorf("%s: %d features, want %d", path, len(features[path]), 2*narrow)
		}
	}
	if meta := w.metadata("f.safetensors"); meta["syncretic.pool"] != "mean" || meta["syncretic.window"] != "1" || len(meta["syncretic.model_sha256"]) != 64 {
		t.Errorf("metadata %v", meta)
	}
}

func TestEmbedEveryFrame(t *testing.T) {
	w := newWorkshop(t)
	w.audioBench()
	w.succeed("embed base long.wav -o f.safetensors --pool none --window 0")
	enc, err := mert.Open("base")
	w.must(err)
	samples, err := audio.Read("long.wav")
	w.must(err)
	want, err := enc.HiddenStates(samples)
	w.must(err)
	got := w.weights("f.safetensors")
	if len(got) != len(want) {
		t.Errorf("%d tensors, want one for each of %d layers", len(got), len(want))
	}
	for l := range want {
		if !slices.Equal(got[fmt.Sprintf("long.wav/layer_%d", l)], want[l]) {
			t.Errorf("layer %d differs from the encoder's", l)
		}
	}
}

func TestEmbedIsTheSameForAnyThreads(t *testing.T) {
	w := newWorkshop(t)
	w.audioBench()
	restoreThreads(t)
	w.succeed("embed base long.wav short.wav -o one.safetensors --threads 1")
	w.succeed("embed base short.wav long.wav -o four.safetensors --threads 4")
	if w.read("one.safetensors") != w.read("four.safetensors") {
		t.Error("the bytes depend on --threads, or on the order of the files")
	}
}

func TestEmbedRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.audioBench()
	w.write("taken.safetensors", "")
	w.model("broken", narrow, 1)
	w.write("broken/config.json", `{"model_type": "hubert", "hidden_size": -1}`)
	const help, spelling = "embed --help", "check the spelling"
	w.refuse([]refusal{
		{"no such model", "embed nowhere long.wav -o x.safetensors", exitInput, "nowhere: no such file or directory", spelling},
		{"weights without config.json", "embed base/model.safetensors long.wav -o x.safetensors", exitInput, "no config.json", "a MODEL is a directory"},
		{"config.json out of range", "embed broken long.wav -o x.safetensors", exitInput, "broken/config.json: invalid encoder config: hidden_size", ""},
		{"no such recording", "embed base long.wav nowhere.wav -o x.safetensors", exitInput, "nowhere.wav: no such file or directory", spelling},
		{"a folder of recordings", "embed base . -o x.safetensors", exitInput, "got a directory, want a regular file", ""},
		{"384 Hz", "embed base long.wav slow.wav -o x.safetensors", exitInput, "slow.wav: invalid audio input: sample rate 384 Hz, want 1000 to 768000 Hz", ""},
		{"truncated", "embed base truncated.wav -o x.safetensors", exitInput, "truncated.wav: invalid audio input: truncated", "copy or download it again"},
		{"not audio", "embed base noise.wav -o x.safetensors", exitInput, "noise.wav: invalid audio input", ""},
		{"too short for a frame", "embed base blip.wav -o x.safetensors", exitInput, "blip.wav: invalid encoder input: clip of 120 samples", ""},
		{"one recording twice", "embed base long.wav long.wav -o x.safetensors", exitUsage, "long.wav is given twice", help},
		{"no output", "embed base long.wav", exitUsage, "-o FILE.safetensors is missing", help},
		{"output without suffix", "embed base long.wav -o x.npy", exitUsage, "-o x.npy: the name must end in .safetensors", help},
		{"unknown pooling", "embed base long.wav -o x.safetensors --pool max", exitUsage, "--pool max: want mean or none", help},
		{"negative window", "embed base long.wav -o x.safetensors --window -1", exitUsage, "--window -1: want 1 second or more", help},
		{"window under a second", "embed base long.wav -o x.safetensors --window 0.5", exitUsage, "--window 0.5: want 1 second or more", help},
		{"window NaN", "embed base long.wav -o x.safetensors --window nan", exitUsage, "--window NaN", help},
		{"window infinite", "embed base long.wav -o x.safetensors --window inf", exitUsage, "--window +Inf", help},
		{"window of text", "embed base long.wav -o x.safetensors --window long", exitUsage, "want a number", help},
		{"no recording", "embed base -o x.safetensors", exitUsage, "embed takes the arguments MODEL AUDIO... -o FILE.safetensors; got 1: base", help},
		{"existing output", "embed base long.wav -o taken.safetensors", exitExists, "taken.safetensors: file already exists", "--force replaces it"},
		{"output is the model", "embed base long.wav -o base/model.safetensors --force", exitUsage, "is also an input", help},
	})
	w.interrupt("embed base long.wav -o x.safetensors", "")
}

// A recording at another rate is resampled as the flag says, and the file says how.
func TestEmbedResamples(t *testing.T) {
	w := newWorkshop(t)
	w.audioBench()
	w.write("fast.wav", strings.Replace(w.read("long.wav"), "\xc0\x5d\x00\x00", "\x80\xbb\x00\x00", 1)) // 24000 becomes 48000
	enc, err := mert.Open("base")
	w.must(err)
	seen := map[string]bool{}
	for flag, method := range map[string]audio.Resampling{"": audio.Kaiser, " --resampler torchaudio": audio.Torchaudio} {
		result := w.result("embed base fast.wav -o f.safetensors --window 0 --pool none --force" + flag)
		samples, err := audio.Options{Resampling: method}.Read("fast.wav")
		w.must(err)
		want, err := enc.HiddenStates(samples)
		w.must(err)
		got := w.weights("f.safetensors")["fast.wav/layer_1"]
		if !slices.Equal(got, want[1]) {
			t.Errorf("embed%s: the features are not those of the resampled recording", flag)
		}
		if meta := w.metadata("f.safetensors"); meta["syncretic.resampler"] != method.Settings() || result["resampler"] != method.Settings() {
			t.Errorf("embed%s: resampler %q, result %v, want %q", flag, meta["syncretic.resampler"], result["resampler"], method)
		}
		seen[fmt.Sprint(got[:narrow])] = true
	}
	if len(seen) != 2 {
		t.Error("both ways to resample give the same features")
	}
	w.refuse([]refusal{{"unknown resampler", "embed base fast.wav -o x.safetensors --resampler linear", exitUsage, `--resampler: resampler "linear", want kaiser or torchaudio`, "embed --help"}})
}

// Files that cannot be read are left out only when that is asked for; then they are counted and named.
func TestEmbedSkipsBad(t *testing.T) {
	w := newWorkshop(t)
	w.audioBench()
	w.write("nan.wav", w.read("short.wav")[:20]+"\x03\x00\x01\x00\xc0\x5d\x00\x00\x00\x77\x01\x00\x04\x00\x20\x00"+w.read("short.wav")[36:44]+
		strings.Repeat("\x00\x00\xc0\x7f", (len(w.read("short.wav"))-44)/4)) // a float that is no number, found only while it is read
	got := w.result("embed base truncated.wav long.wav nan.wav -o f.safetensors --skip-bad")
	skipped, _ := got["skipped"].([]any)
	if got["files"] != 1.0 || len(skipped) != 2 || !strings.Contains(fmt.Sprint(skipped[0]), "nan.wav: invalid audio input: sample 0 is not finite") ||
		!strings.Contains(fmt.Sprint(skipped[1]), "truncated.wav: invalid audio input: truncated") {
		t.Errorf("result %v, want 1 file and 2 left out", got)
	}
	if names := w.weights("f.safetensors"); len(names) != 1 || names["long.wav"] == nil {
		t.Errorf("%d tensors, want long.wav alone", len(names))
	}
	if o := w.succeed("embed base truncated.wav long.wav -o g.safetensors --skip-bad"); !strings.Contains(fmt.Sprint(o), "1 recordings left out") ||
		!strings.Contains(fmt.Sprint(o), "truncated.wav") {
		t.Errorf("output %v, want the count and the name of what was left out", o)
	}
	w.refuse([]refusal{
		{"not asked for", "embed base long.wav nan.wav -o x.safetensors", exitInput, "nan.wav: invalid audio input: sample 0 is not finite", ""},
		{"nothing left", "embed base truncated.wav -o x.safetensors --skip-bad", exitInput, "none of 1 files can be read; the first: truncated.wav", "copy or download it again"},
		{"nothing left after decoding", "embed base nan.wav -o x.safetensors --skip-bad", exitInput, "none of 1 files can be read; the first: nan.wav", ""},
	})
}
