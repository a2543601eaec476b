package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestMain lets the test's own program stand in for ffmpeg when it is started under that name.
func TestMain(m *testing.M) {
	if strings.HasPrefix(filepath.Base(os.Args[0]), "ffmpeg") {
		os.Exit(actFFmpeg(os.Getenv("ACT")))
	}
	os.Exit(m.Run())
}

// auFile is a Sun AU stream of float32 as ffmpeg writes it to a pipe.
func auFile(rate, channels uint32, samples ...float32) []byte {
	be := binary.BigEndian
	b := []byte(".snd")
	for _, v := range []uint32{32, math.MaxUint32, 6, rate, channels} {
		b = be.AppendUint32(b, v)
	}
	b = append(b, make([]byte, 8)...) // a comment
	for _, v := range samples {
		b = be.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// actFFmpeg writes what ffmpeg might, and returns its exit code.
func actFFmpeg(act string) int {
	if i := slices.Index(os.Args, "-i"); i < 0 || !filepath.IsAbs(strings.TrimPrefix(os.Args[i+1], "file:")) {
		return 9
	}
	switch act {
	case "good":
		os.Stdout.Write(auFile(12000, 2, 1, 0, -0.5, 0.25))
	case "complains":
		os.Stdout.Write(auFile(12000, 1, 1, 2, 3))
		os.Stderr.WriteString("frame 7: corrupt\nmore\n")
	case "fails":
		os.Stdout.Write(auFile(12000, 1, 1, 2, 3))
		return 3
	case "cut":
		b := auFile(12000, 2, 1, 2, 3)
		os.Stdout.Write(b)
	case "nothing":
	case "other":
		os.Stdout.WriteString(strings.Repeat("RIFF", 100))
	case "no channels":
		os.Stdout.Write(auFile(12000, 0, 1, 2, 3))
	case "no end":
		b := auFile(12000, 1, make([]float32, 1<<20)...)
		for _, err := os.Stdout.Write(b); err == nil; _, err = os.Stdout.Write(b[32:]) {
		}
	case "NaN":
		os.Stdout.Write(auFile(12000, 1, 1, float32(math.NaN())))
	}
	return 0
}

// fakeFFmpeg puts this program on PATH, alone, under the name ffmpeg.
func fakeFFmpeg(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	name := "ffmpeg"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), program, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
}

func TestFFmpegReadsOtherContainers(t *testing.T) {
	fakeFFmpeg(t)
	spools := t.TempDir()
	t.Setenv("TMPDIR", spools)
	t.Setenv("TMP", spools)
	path := temp(t, "x.m4a", []byte("aaaaftypM4A aaaa"))
	t.Run("good", func(t *testing.T) {
		t.Setenv("ACT", "good")
		f, err := Options{Rate: 12000}.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, f.Frames)
		if err := f.ReadAt(got, 0); err != nil || f.SourceRate != 12000 || f.Channels != 2 || !slices.Equal(got, []float32{0.5, -0.125}) {
			t.Errorf("%v, %v, %+v", got, err, f)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	for act, want := range map[string]string{
		"complains":   "got MP4 or M4A; ffmpeg: frame 7: corrupt",
		"fails":       "ffmpeg: exit status 3",
		"cut":         "ended within a sample",
		"nothing":     "ffmpeg wrote no samples",
		"other":       "ffmpeg wrote the header",
		"no channels": "ffmpeg wrote the header",
		"no end":      "more than 1064960 samples for 16 bytes",
		"NaN":         "sample 1 is not finite",
	} {
		t.Run(act, func(t *testing.T) {
			t.Setenv("ACT", act)
			_, err := Read(path)
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path) {
				t.Errorf("error %v, want ErrInvalid that begins with the path and says %q", err, want)
			}
		})
	}
	if left, err := os.ReadDir(spools); err != nil || len(left) > 0 {
		t.Errorf("%d temporary files are left, %v", len(left), err)
	}
}

// Where the machine has ffmpeg, it reads the M4A file beside the goldens.
func TestFFmpegItself(t *testing.T) {
	var found []string
	if path, err := exec.LookPath("ffmpeg"); err == nil {
		found = append(found, path)
	}
	for range found {
		f, err := Open("testdata/other.m4a")
		if err != nil {
			t.Fatal(err)
		}
		if f.SourceRate != 44100 || f.Channels != 2 || f.SourceFrames < 13000 || f.SourceFrames > 15400 {
			t.Errorf("%d frames of %d channels at %d Hz, want about 13,312 of 2 at 44100", f.SourceFrames, f.Channels, f.SourceRate)
		}
		f.Close()
		damaged, err := os.ReadFile("testdata/other.m4a")
		if err != nil {
			t.Fatal(err)
		}
		path := temp(t, "x.m4a", damaged[:len(damaged)/2])
		if _, err := Open(path); !errors.Is(err, ErrInvalid) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("half a file: %v, want ErrInvalid", err)
		}
	}
}

func FuzzSpool(f *testing.F) {
	f.Add(auFile(12000, 2, 1, 2, 3, 4))
	f.Add(auFile(44100, 1, 1, 2, 3)[:30])
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := spool(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("error %v does not wrap ErrInvalid", err)
			}
			return
		}
		defer s.close()
		if 4*s.channels*s.frames > len(data) {
			t.Fatalf("%d frames of %d channels from %d bytes", s.frames, s.channels, len(data))
		}
	})
}
