package audio

import (
	"errors"
	"strings"
	"testing"
)

// Verify finds what Open does not: damage in the middle of a file.
func TestVerify(t *testing.T) {
	good := flacFile(t)
	path := temp(t, "x.flac", edit(good, len(good)/2, good[len(good)/2]^8))
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := (Options{Rate: 16000}).Verify(path); !errors.Is(err, ErrInvalid) || !strings.HasPrefix(err.Error(), path) || !strings.Contains(err.Error(), "after sample") {
		t.Errorf("damaged: %v, want ErrInvalid with the file and the place", err)
	}
	for _, name := range []string{"flac16_stereo.flac", "stereo44.mp3", "speech.opus", "pcm24_three.wav"} {
		if err := (Options{}).Verify("testdata/" + name); err != nil {
			t.Error(err)
		}
	}
	if err := (Options{Resampling: "linear"}).Verify("testdata/stereo44.mp3"); err == nil || !strings.Contains(err.Error(), `resampler "linear"`) {
		t.Errorf("unknown resampler: %v", err)
	}
}
