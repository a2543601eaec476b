package main

import (
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"syncretic/adapt/audio"
	"syncretic/adapt/encodec"
	"syncretic/checkpoint"
)

// tinyCodec is the shape of encodec_24khz, with a few hundred weights and four codebooks of 16.
const tinyCodec = `{"model_type": "encodec", "num_filters": 1, "compress": 1, "num_lstm_layers": 1, "hidden_size": 3, "codebook_size": 16,
"target_bandwidths": [1.2]}`

// codec writes a model directory. Its tensors are those that an encoder asks for, as it names them one after the other.
func (w workshop) codec(path string, seed float64) {
	w.t.Helper()
	var list []checkpoint.Tensor
	add := func(name string, shape ...int) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(math.Sin(seed + float64(7*i+len(list)*i+i*i)))
		}
		list = append(list, checkpoint.Tensor{Name: name, Shape: shape, Data: data})
	}
	conv := func(name string, in, out, kernel int) {
		add(name+".conv.bias", out)
		add(name+".conv.weight_g", out, 1, 1)
		add(name+".conv.weight_v", out, in, kernel)
	}
	layer := func(i int, part string) string { return fmt.Sprintf("encoder.layers.%d%s", i, part) }
	conv(layer(0, ""), 1, 1, 7)
	dim, at := 1, 1
	for _, stride := range []int{2, 4, 5, 8} {
		conv(layer(at, ".block.1"), dim, dim, 3)
		conv(layer(at, ".block.3"), dim, dim, 1)
		conv(layer(at, ".shortcut"), dim, dim, 1)
		conv(layer(at+2, ""), dim, 2*dim, 2*stride)
		dim, at = 2*dim, at+3
	}
	for _, part := range []string{"ih", "hh"} {
		add(layer(at, ".lstm.weight_"+part+"_l0"), 4*dim, dim)
		add(layer(at, ".lstm.bias_"+part+"_l0"), 4*dim)
	}
	conv(layer(at+2, ""), dim, 3, 7)
	for q := range 4 {
		add(fmt.Sprintf("quantizer.layers.%d.codebook.embed", q), 16, 3)
	}
	src, err := checkpoint.NewMemory(list...)
	w.must(err)
	w.must(checkpoint.Write(w.t.Context(), path, src, checkpoint.WriteOptions{
		SideFiles: []checkpoint.SideFile{{Name: "config.json", Data: []byte(tinyCodec)}}}))
}

// codecBench makes a codec and the recordings of audioBench.
func (w workshop) codecBench() {
	w.t.Helper()
	w.audioBench()
	w.codec("codec", 1)
}

// rows reads a manifest of codes.
func (w workshop) rows(path string) [][]string {
	w.t.Helper()
	f, err := os.Open(path)
	w.must(err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	w.must(err)
	return rows
}

// codes reads a tensor of codes.
func (w workshop) codes(path, name string) (checkpoint.Info, []int64) {
	w.t.Helper()
	m, err := checkpoint.Open(path)
	w.must(err)
	defer m.Close()
	info, _ := checkpoint.Find(m, name)
	values, err := checkpoint.ReadIntegers(m, name)
	w.must(err)
	return info, values
}

func TestTokensIntoAFolder(t *testing.T) {
	w := newWorkshop(t)
	w.codecBench()
	before := w.contents()
	got := w.result("tokens codec long.wav short.wav -o out/tokens --codebooks 3")
	w.unchanged(before, "out")
	if got["files"] != 2.0 || got["encoded"] != 2.0 || got["kept"] != 0.0 || got["codebooks"] != 3.0 || got["frames"] != 188.0+90 {
		t.Errorf("result %v", got)
	}
	rows := w.rows("out/tokens/manifest.csv")
	if len(rows) != 3 || strings.Join(rows[0], ",") != "path,tokens,codebooks,frames,seconds,audio_sha256,model_sha256,resampler" || rows[1][0] != "../../long.wav" || rows[2][0] != "../../short.wav" {
		t.Fatalf("manifest %v", rows)
	}
	enc, err := encodec.Open("codec")
	w.must(err)
	for i, path := range []string{"long.wav", "short.wav"} {
		row := rows[i+1]
		samples, err := audio.Read(path)
		w.must(err)
		want, err := enc.Encode(t.Context(), samples, 3)
		w.must(err)
		info, values := w.codes("out/tokens/"+row[1], "codes")
		if info.DType != checkpoint.I16 || !slices.Equal(info.Shape, []int{3, len(want[0])}) {
			t.Fatalf("%s: %v", row[1], info)
		}
		for k, v := range values {
			if v != int64(want[k/len(want[0])][k%len(want[0])]) {
				t.Fatalf("%s: code %d is %d", row[1], k, v)
			}
		}
		if row[2] != "3" || row[3] != fmt.Sprint(len(want[0])) || row[4] != []string{"2.5", "1.2"}[i] || row[6] != enc.Hash() || row[7] != audio.Kaiser.Settings() {
			t.Errorf("manifest row %v", row)
		}
		meta := w.metadata("out/tokens/" + row[1])
		if meta["syncretic.model_sha256"] != enc.Hash() || meta["syncretic.audio_sha256"] != row[5] || meta["syncretic.sample_rate"] != "24000" ||
			meta["syncretic.frame_rate"] != "75" || meta["syncretic.codebook_size"] != "16" || meta["syncretic.resampler"] != audio.Kaiser.Settings() {
			t.Errorf("metadata %v", meta)
		}
	}
}

func TestTokensGoOn(t *testing.T) {
	w := newWorkshop(t)
	w.codecBench()
	w.succeed("tokens codec short.wav -o tokens --codebooks 2")
	before := w.contents()
	got := w.result("tokens codec short.wav -o tokens --codebooks 2")
	if got["encoded"] != 0.0 || got["kept"] != 1.0 || got["frames"] != 90.0 {
		t.Errorf("the second time: %v", got)
	}
	w.unchanged(before)

	w.must(os.MkdirAll("other", 0o777))
	w.write("other/short.wav", w.read("short.wav")) // the same content under the same name
	w.must(os.MkdirAll("third", 0o777))
	w.tone("third/short.wav", 500, 1) // another under the same name
	w.write("fourth.wav", w.read("third/short.wav"))
	got = w.result("tokens codec long.wav third/short.wav other/short.wav fourth.wav -o tokens --codebooks 2")
	if got["encoded"] != 3.0 || got["kept"] != 1.0 {
		t.Errorf("with more recordings: %v", got)
	}
	rows := w.rows("tokens/manifest.csv")
	if len(rows) != 6 {
		t.Fatalf("manifest %v", rows)
	}
	files := map[string]bool{}
	for _, row := range rows[1:] {
		files[row[1]] = true
		if _, err := os.Stat("tokens/" + row[1]); err != nil {
			t.Error(err)
		}
	}
	if len(files) != 4 {
		t.Errorf("files %v, want one for equal recordings of one name", files)
	}
}

func TestTokensIntoAFile(t *testing.T) {
	w := newWorkshop(t)
	w.codecBench()
	w.succeed("tokens codec long.wav short.wav -o folder --codebooks 4")
	got := w.result("tokens codec long.wav short.wav -o all.safetensors --codebooks 4")
	if got["files"] != 2.0 || got["frames"] != 278.0 {
		t.Errorf("result %v", got)
	}
	for i, path := range []string{"long.wav", "short.wav"} {
		info, values := w.codes("all.safetensors", path)
		_, want := w.codes("folder/"+w.rows("folder/manifest.csv")[i+1][1], "codes")
		if info.DType != checkpoint.I64 || info.Shape[0] != 4 || !slices.Equal(values, want) {
			t.Errorf("%s: %v, or codes that are not the folder's", path, info)
		}
	}
}

func TestTokensAreTheSameForAnyThreads(t *testing.T) {
	w := newWorkshop(t)
	w.codecBench()
	restoreThreads(t)
	w.succeed("tokens codec long.wav short.wav -o one.safetensors --threads 1 --codebooks 4")
	w.succeed("tokens codec short.wav long.wav -o four.safetensors --threads 4 --codebooks 4")
	if w.read("one.safetensors") != w.read("four.safetensors") {
		t.Error("the bytes depend on --threads, or on the order of the files")
	}
}

func TestTokensOfAnotherModel(t *testing.T) {
	w := newWorkshop(t)
	w.codecBench()
	w.codec("other", 2)
	w.succeed("tokens codec short.wav long.wav -o tokens --codebooks 2")
	w.refuse([]refusal{
		{"another model", "tokens other short.wav -o tokens --codebooks 2", exitExists, "tokens: holds codes of another model", "--force"},
		{"more codebooks", "tokens codec short.wav -o tokens --codebooks 3", exitExists, "another number of codebooks", "--force"},
	})
	w.must(os.Remove("tokens/manifest.csv"))
	w.refuse([]refusal{
		{"a file of another model", "tokens other short.wav -o tokens --codebooks 2", exitExists, "holds something other than the codes", "--force"},
	})
	w.succeed("tokens other short.wav -o tokens --codebooks 2 --force")
	other, err := encodec.Open("other")
	w.must(err)
	rows := w.rows("tokens/manifest.csv")
	if len(rows) != 2 || rows[1][6] != other.Hash() || w.metadata("tokens/" + rows[1][1])["syncretic.model_sha256"] != other.Hash() {
		t.Errorf("after --force: manifest %v", rows)
	}
}

func TestTokensRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.codecBench()
	w.write("taken.safetensors", "")
	w.write("file", "")
	w.must(os.MkdirAll("odd", 0o777))
	w.write("odd/manifest.csv", "path,tags\nlong.wav,low\n")
	w.codec("broken", 1)
	w.write("broken/config.json", strings.Replace(tinyCodec, `"compress": 1`, `"compress": 0`, 1))
	w.codec("stereo", 1)
	w.write("stereo/config.json", strings.Replace(tinyCodec, `"compress": 1`, `"compress": 1, "audio_channels": 2`, 1))
	w.codec("slow", 1)
	w.write("slow/config.json", `{"sampling_rate": 16000, "num_filters": 1, "compress": 1, "num_lstm_layers": 1, "hidden_size": 3, "codebook_size": 16, "target_bandwidths": [0.8]}`)
	const help, spelling = "tokens --help", "check the spelling"
	w.refuse([]refusal{
		{"no such model", "tokens nowhere long.wav -o x", exitInput, "nowhere: no such file or directory", spelling},
		{"weights without config.json", "tokens codec/model.safetensors long.wav -o x", exitInput, "no config.json", "a MODEL is a directory"},
		{"another kind of model", "tokens base long.wav -o x", exitInput, `model_type: "hubert", want "encodec"`, ""},
		{"config.json out of range", "tokens broken long.wav -o x", exitInput, "broken/config.json: invalid EnCodec config: compress: 0", ""},
		{"stereo", "tokens stereo long.wav -o x", exitInput, "audio_channels: 2, want 1", ""},
		{"another rate", "tokens slow long.wav -o x", exitInput, "sampling_rate: 16000 Hz, want 24000 Hz", ""},
		{"no such recording", "tokens codec long.wav nowhere.wav -o x", exitInput, "nowhere.wav: no such file or directory", spelling},
		{"truncated", "tokens codec truncated.wav -o x", exitInput, "truncated.wav: invalid audio input: truncated", "copy or download it again"},
		{"not audio", "tokens codec noise.wav -o x", exitInput, "noise.wav: invalid audio input", ""},
		{"one recording twice", "tokens codec long.wav long.wav -o x", exitUsage, "long.wav is given twice", help},
		{"no output", "tokens codec long.wav", exitUsage, "-o DIR is missing", help},
		{"no recording", "tokens codec -o x", exitUsage, "tokens takes the arguments ENCODEC AUDIO... -o DIR; got 1: codec", help},
		{"no codebook", "tokens codec long.wav -o x --codebooks 0", exitUsage, "--codebooks 0: want 1 or more", help},
		{"too many codebooks", "tokens codec long.wav -o x --codebooks 5", exitUsage, "--codebooks 5: codec has 4", help},
		{"output is a file", "tokens codec long.wav -o file --codebooks 2", exitUsage, "file is a file; want a directory", help},
		{"output is the model", "tokens codec long.wav -o codec --codebooks 2", exitUsage, "is also an input", help},
		{"existing file", "tokens codec long.wav -o taken.safetensors --codebooks 2", exitExists, "taken.safetensors: file already exists", "--force replaces it"},
		{"a manifest of something else", "tokens codec long.wav -o odd --codebooks 2", exitInput, "odd/manifest.csv: invalid tokens: not a manifest of codes", ""},
	})
	w.interrupt("tokens codec long.wav -o x --codebooks 2", "goes on where it stopped")
	w.interrupt("tokens codec long.wav -o x.safetensors --codebooks 2", "")
}

// floats is a WAV file of one sample in 32-bit floats. One that is no number is found only when it is read.
func floats(value float32) string {
	le := binary.LittleEndian
	b := append([]byte("RIFF"), le.AppendUint32(nil, 40)...)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x03\x00\x01\x00"...)
	b = le.AppendUint32(le.AppendUint32(b, 24000), 4*24000)
	b = append(b, "\x04\x00\x20\x00data\x04\x00\x00\x00"...)
	return string(le.AppendUint32(b, math.Float32bits(value)))
}

// TestTokensKeepWhatIsDone: an error leaves the recordings before it, listed, and the same command goes on from there.
func TestTokensKeepWhatIsDone(t *testing.T) {
	w := newWorkshop(t)
	w.codecBench()
	restoreThreads(t)
	w.write("later.wav", floats(float32(math.NaN())))
	o := w.syncretic("tokens codec short.wav later.wav -o tokens --codebooks 2 --threads 1 --quiet")
	if o.code != exitInput {
		t.Errorf("exit code %d, want %d", o.code, exitInput)
	}
	o.complains(t, "later.wav: invalid audio input", "")
	if rows := w.rows("tokens/manifest.csv"); len(rows) != 2 || rows[1][0] != "../short.wav" {
		t.Errorf("manifest %v, want the recording that was done", rows)
	}
	w.write("later.wav", floats(0.5))
	if got := w.result("tokens codec short.wav later.wav -o tokens --codebooks 2"); got["encoded"] != 1.0 || got["kept"] != 1.0 || got["frames"] != 91.0 {
		t.Errorf("the second time: %v", got)
	}
}

// A recording at another rate is resampled as the flag says; files, manifest and result say how, and codes made otherwise are not taken
// for the same.
func TestTokensResample(t *testing.T) {
	w := newWorkshop(t)
	w.codecBench()
	noise := make([]float32, 48000)
	for i := range noise {
		noise[i] = float32(i*i%2001-1000) / 1000
	}
	w.must(audio.WriteWAV("fast.wav", noise, false))
	w.write("fast.wav", strings.Replace(w.read("fast.wav"), "\xc0\x5d\x00\x00", "\x80\xbb\x00\x00", 1)) // 24000 becomes 48000
	enc, err := encodec.Open("codec")
	w.must(err)
	seen := map[string]bool{}
	for flag, method := range map[string]audio.Resampling{"": audio.Kaiser, " --resampler torchaudio": audio.Torchaudio} {
		samples, err := audio.Options{Resampling: method}.Read("fast.wav")
		w.must(err)
		want, err := enc.Encode(t.Context(), samples, 2)
		w.must(err)
		result := w.result("tokens codec fast.wav -o t.safetensors --codebooks 2 --force" + flag)
		_, values := w.codes("t.safetensors", "fast.wav")
		for i, v := range values {
			if v != int64(want[i/len(want[0])][i%len(want[0])]) {
				t.Fatalf("tokens%s: code %d is not that of the resampled recording", flag, i)
			}
		}
		if meta := w.metadata("t.safetensors"); meta["syncretic.resampler"] != method.Settings() || result["resampler"] != method.Settings() {
			t.Errorf("tokens%s: resampler %q, result %v, want %q", flag, meta["syncretic.resampler"], result["resampler"], method)
		}
		seen[fmt.Sprint(values)] = true
	}
	if len(seen) != 2 {
		t.Error("both ways to resample give the same codes")
	}
	w.succeed("tokens codec fast.wav -o folder --codebooks 2 --resampler torchaudio")
	if row := w.rows("folder/manifest.csv")[1]; row[7] != audio.Torchaudio.Settings() {
		t.Errorf("manifest row %v", row)
	}
	w.refuse([]refusal{
		{"unknown resampler", "tokens codec fast.wav -o x --resampler linear", exitUsage, `--resampler: resampler "linear", want kaiser or torchaudio`, "tokens --help"},
		{"another resampler", "tokens codec fast.wav -o folder --codebooks 2", exitExists, "another resampler", "--force"},
	})
}

// Recordings that cannot be read are left out only when that is asked for; then they are counted and named.
func TestTokensSkipBad(t *testing.T) {
	w := newWorkshop(t)
	w.codecBench()
	w.write("nan.wav", floats(float32(math.NaN())))
	w.must(os.Mkdir("copy", 0o777))
	w.write("copy/nan.wav", w.read("nan.wav"))
	for _, out := range []string{"folder", "file.safetensors"} {
		got := w.result("tokens codec truncated.wav short.wav nan.wav copy/nan.wav -o " + out + " --codebooks 2 --skip-bad")
		skipped, _ := got["skipped"].([]any)
		if got["files"] != 1.0 || got["encoded"] != 1.0 || got["kept"] != 0.0 || got["frames"] != 90.0 || len(skipped) != 3 ||
			!strings.Contains(fmt.Sprint(skipped[0]), "copy/nan.wav: invalid audio input") || !strings.Contains(fmt.Sprint(skipped[1]), "nan.wav: invalid audio input: sample 0 is not finite") ||
			!strings.Contains(fmt.Sprint(skipped[2]), "truncated.wav: invalid audio input: truncated") {
			t.Errorf("%s: result %v, want 1 file and 3 left out", out, got)
		}
	}
	if rows := w.rows("folder/manifest.csv"); len(rows) != 2 || rows[1][0] != "../short.wav" {
		t.Errorf("manifest %v, want short.wav alone", rows)
	}
	if names := w.weights("file.safetensors"); len(names) != 1 || names["short.wav"] == nil {
		t.Errorf("%d tensors, want short.wav alone", len(names))
	}
	o := w.succeed("tokens codec short.wav nan.wav -o folder --codebooks 2 --skip-bad --quiet")
	if !strings.Contains(o.stdout, "1 recordings left out, which cannot be read:\n  nan.wav: invalid audio input") || !strings.Contains(o.stdout, "1 recordings (1 were there)") {
		t.Errorf("output %q, want the count and the name of what was left out", o.stdout)
	}
	w.refuse([]refusal{
		{"not asked for", "tokens codec short.wav nan.wav -o x.safetensors --codebooks 2", exitInput, "nan.wav: invalid audio input: sample 0 is not finite", ""},
		{"a broken header, not asked for", "tokens codec truncated.wav -o x --codebooks 2", exitInput, "truncated.wav: invalid audio input: truncated", "copy or download it again"},
		{"nothing left", "tokens codec truncated.wav -o x --codebooks 2 --skip-bad", exitInput, "none of 1 files can be read; the first: truncated.wav", "copy or download it again"},
		{"nothing left after decoding", "tokens codec nan.wav truncated.wav -o x --codebooks 2 --skip-bad", exitInput, "none of 2 files can be read; the first: truncated.wav", "copy or download it again"},
		{"nothing left after decoding, in a file", "tokens codec nan.wav -o x.safetensors --codebooks 2 --skip-bad", exitInput, "none of 1 files can be read; the first: nan.wav", ""},
	})
}
