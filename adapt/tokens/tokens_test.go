package tokens_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncretic/adapt/tokens"
	"syncretic/checkpoint"
)

// sum stands for the SHA-256 of a recording.
var sum = strings.Repeat("0123456789abcdef", 4)

// origin is of two codebooks of 16.
var origin = tokens.Origin{Model: "model", Codebooks: 2, Size: 16, SampleRate: 24000, FrameRate: 75, Resampler: "kaiser"}

// folder writes the codes of music/one.wav.
func folder(t *testing.T) (dir, recording string) {
	t.Helper()
	root := t.TempDir()
	dir, recording = filepath.Join(root, "tokens"), filepath.Join(root, "music", "one.wav")
	if err := errors.Join(os.Mkdir(dir, 0o777), os.Mkdir(filepath.Dir(recording), 0o777)); err != nil {
		t.Fatal(err)
	}
	name := tokens.FileName(recording, sum)
	write(t, filepath.Join(dir, name), [][]int16{{1, 2, 3}, {15, 0, 7}})
	row := tokens.Row{Path: tokens.Relative(dir, recording), File: name, Codebooks: 2, Frames: 3, Seconds: 0.04, Audio: sum, Model: "model", Resampler: "kaiser"}
	if err := tokens.WriteManifest(filepath.Join(dir, tokens.ManifestName), []tokens.Row{row}); err != nil {
		t.Fatal(err)
	}
	return dir, recording
}

func write(t *testing.T, path string, codes [][]int16) {
	t.Helper()
	if err := tokens.Write(t.Context(), path, sum, codes, checkpoint.WriteOptions{Metadata: origin.Metadata()}); err != nil {
		t.Fatal(err)
	}
}

func TestFolder(t *testing.T) {
	dir, recording := folder(t)
	rows, err := tokens.ReadManifest(filepath.Join(dir, tokens.ManifestName))
	if err != nil || len(rows) != 1 || rows[0].Path != "../music/one.wav" || rows[0].File != "one-0123456789ab.safetensors" || rows[0].Seconds != 0.04 {
		t.Fatalf("manifest %+v, %v", rows, err)
	}
	set, err := tokens.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(recording))
	for _, spelt := range []string{recording, "one.wav", "../music/./one.wav"} {
		codes, err := set.Of(spelt)
		if err != nil {
			t.Fatal(err)
		}
		if codes.Codebooks != 2 || codes.Frames != 3 || codes.Origin != origin {
			t.Errorf("%d codebooks, %d frames, %+v", codes.Codebooks, codes.Frames, codes.Origin)
		}
		got := make([]int32, 2)
		if err := codes.Read(1, 1, 16, got); err != nil || !slices.Equal(got, []int32{0, 7}) {
			t.Errorf("codes %v, %v", got, err)
		}
		if file, err := set.File(spelt); err != nil || file != filepath.Join(dir, rows[0].File) || file != codes.Path {
			t.Errorf("file %s, %v", file, err)
		}
		if err := codes.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	var tensors []checkpoint.Tensor
	for k, name := range []string{"music/one.wav", "/music/two.wav"} {
		tensor, err := checkpoint.NewIntegers(name, checkpoint.I64, []int{1, 2}, []int64{int64(k), 1023})
		if err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, tensor)
	}
	src, err := checkpoint.NewMemory(tensors...)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkpoint.Write(t.Context(), "all.safetensors", src, checkpoint.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	set, err := tokens.Open("all.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	for k, name := range []string{filepath.Join(dir, "music", "one.wav"), "/music/two.wav"} {
		codes, err := set.Of(name)
		if err != nil {
			t.Fatal(err)
		}
		defer codes.Close()
		got := make([]int32, 2)
		if err := codes.Read(0, 0, 1024, got); err != nil || !slices.Equal(got, []int32{int32(k), 1023}) || codes.Origin != (tokens.Origin{}) {
			t.Errorf("%s: codes %v, %v, origin %+v", name, got, err, codes.Origin)
		}
	}
}

func TestHeld(t *testing.T) {
	dir, _ := folder(t)
	path := filepath.Join(dir, "one-0123456789ab.safetensors")
	if n, err := tokens.Held(path, sum, origin); n != 3 || err != nil {
		t.Errorf("%d frames, %v, want 3", n, err)
	}
	other := origin
	other.Resampler = "torchaudio"
	for name, held := range map[string]func() (int, error){
		"another recording": func() (int, error) { return tokens.Held(path, "other", origin) },
		"another resampler": func() (int, error) { return tokens.Held(path, sum, other) },
	} {
		if n, err := held(); n != 0 || !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %d frames, %v, want ErrExist", name, n, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	dir, recording := folder(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	put := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(at(name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const header = "path,tokens,codebooks,frames,seconds,audio_sha256,model_sha256,resampler\n"
	put("short/manifest.csv", "path,tokens\na,b\n")
	put("ragged/manifest.csv", header+"a,b\n")
	put("text/manifest.csv", header+"a,b.safetensors,two,3,1,x,y,z\n")
	put("outside/manifest.csv", header+"a,../b.safetensors,2,3,1,x,y,z\n")
	put("twice/manifest.csv", header+"a,b.safetensors,2,3,1,x,y,z\n./a,c.safetensors,2,3,1,x,y,z\n")
	put("gone/manifest.csv", header+recording+",b.safetensors,2,3,1,x,y,z\n")
	write(t, at("model.safetensors"), [][]int16{{1}})
	floats, err := checkpoint.NewMemory(checkpoint.Tensor{Name: recording, Shape: []int{1, 3}, Data: []float32{1, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	if err := checkpoint.Write(t.Context(), at("floats.safetensors"), floats, checkpoint.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, path, want string
		is               error
	}{
		{"no folder", "nowhere", "nowhere", fs.ErrNotExist},
		{"no file", "nowhere.safetensors", "nowhere.safetensors", fs.ErrNotExist},
		{"another manifest", "short", "not a manifest of codes", tokens.ErrInvalid},
		{"a row of another length", "ragged", "wrong number of fields", tokens.ErrInvalid},
		{"a number that is none", "text", "row 1: [a b.safetensors two", tokens.ErrInvalid},
		{"a file outside", "outside", "want a file below the folder", tokens.ErrInvalid},
		{"one recording twice", "twice", "a stands twice", tokens.ErrInvalid},
		{"codes that are gone", "gone", "the codes of " + recording, tokens.ErrInvalid},
		{"floats", "floats.safetensors", "F32 [1 3], want integers [codebooks][frames]", tokens.ErrInvalid},
		{"another recording", "model.safetensors", "no codes of " + recording + ", among those of 1 recordings", tokens.ErrInvalid},
	} {
		set, err := tokens.Open(at(test.path))
		if err == nil {
			_, err = set.Of(recording)
		}
		if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %v with %q", test.name, err, test.is, test.want)
		}
	}
	set, err := tokens.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	codes, err := set.Of(recording)
	if err != nil {
		t.Fatal(err)
	}
	defer codes.Close()
	for _, ask := range []struct {
		book, from, n, size int
		want                string
	}{{2, 0, 1, 16, "codebook 2"}, {-1, 0, 1, 16, "codebook -1"}, {0, 2, 2, 16, "frames [2, 4)"}, {0, -1, 1, 16, "frames [-1, 0)"},
		{1, 0, 3, 15, "code 15 in codebook 1, frame 0, want 0 to 14"}} {
		if err := codes.Read(ask.book, ask.from, ask.size, make([]int32, ask.n)); !errors.Is(err, tokens.ErrInvalid) || !strings.Contains(err.Error(), ask.want) {
			t.Errorf("%+v: %v", ask, err)
		}
	}
}

func FuzzReadManifest(f *testing.F) {
	f.Add("path,tokens,codebooks,frames,seconds,audio_sha256,model_sha256,resampler\n../a.wav,a.safetensors,8,75,1,x,y,z\n")
	path := filepath.Join(f.TempDir(), "manifest.csv")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		rows, err := tokens.ReadManifest(path)
		if err != nil {
			if !errors.Is(err, tokens.ErrInvalid) {
				t.Fatalf("error %v does not wrap ErrInvalid", err)
			}
			return
		}
		if err := tokens.WriteManifest(path, rows); err != nil {
			t.Fatal(err)
		}
		if again, err := tokens.ReadManifest(path); err != nil || !slices.Equal(again, rows) {
			t.Fatalf("%+v became %+v, %v", rows, again, err)
		}
	})
}

func Example() {
	dir, err := os.MkdirTemp("", "tokens")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	recording := filepath.Join(dir, "one.wav") // its codes are enough
	name := tokens.FileName(recording, sum)
	err = tokens.Write(context.Background(), filepath.Join(dir, name), sum, [][]int16{{5, 6, 7}}, checkpoint.WriteOptions{Metadata: origin.Metadata()})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = tokens.WriteManifest(filepath.Join(dir, tokens.ManifestName), []tokens.Row{
		{Path: tokens.Relative(dir, recording), File: name, Codebooks: 1, Frames: 3, Seconds: 0.04, Audio: sum, Model: origin.Model, Resampler: origin.Resampler}})
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := tokens.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	codes, err := set.Of(recording)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer codes.Close()
	row := make([]int32, 2)
	err = codes.Read(0, 1, codes.Origin.Size, row)
	fmt.Println(row, codes.Frames, err)
	// Output: [6 7] 3 <nil>
}
