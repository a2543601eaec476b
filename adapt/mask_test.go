package adapt

import (
	"math/rand/v2"
	"testing"
)

func TestMaskSpans(t *testing.T) {
	o := DefaultConfig().Objective
	for _, test := range []struct {
		name          string
		clips, frames int
	}{
		{"one second", 8, 74}, {"five seconds", 4, 374}, {"one clip", 1, 74}, {"as short as a span", 3, 5}, {"two frames", 2, 2}, {"six frames", 2, 6},
	} {
		t.Run(test.name, func(t *testing.T) {
			mask := maskSpans(rand.New(rand.NewPCG(1, 2)), o, test.clips, test.frames)
			if len(mask) != test.clips*test.frames {
				t.Fatalf("got %d marks, want %d", len(mask), test.clips*test.frames)
			}
			count := func(c int) (n int) {
				for _, m := range mask[c*test.frames : (c+1)*test.frames] {
					if m {
						n++
					}
				}
				return n
			}
			for c := range test.clips {
				if n := count(c); n != count(0) || n == 0 || n == test.frames {
					t.Errorf("clip %d: %d of %d frames masked, the first has %d; want the same, neither none nor all", c, n, test.frames, count(0))
				}
			}
		})
	}
}

// facts of fairseq's compute_mask_indices at 5 s: 58.3 % of the frames of a single clip are masked on average, about 53.9 %
// after 15 clips are brought to one count, and the last frame never is.
func TestMaskShare(t *testing.T) {
	o := DefaultConfig().Objective
	share := func(clips, draws int) float64 {
		n := 0
		for i := range draws {
			mask := maskSpans(rand.New(rand.NewPCG(7, uint64(i))), o, clips, 374)
			n += len(masked(mask))
			for c := range clips {
				if mask[(c+1)*374-1] {
					t.Fatal("the last frame is masked")
				}
			}
		}
		return float64(n) / float64(draws*clips*374)
	}
	const tolerance = 0.01
	if got := share(1, 300); got < 0.583-tolerance || got > 0.583+tolerance {
		t.Errorf("one clip: %.3f of the frames are masked, want 0.583", got)
	}
	if got := share(15, 60); got < 0.539-tolerance || got > 0.539+tolerance {
		t.Errorf("15 clips: %.3f of the frames are masked, want 0.539", got)
	}
}

func TestMixNoise(t *testing.T) {
	const n = 24000
	clean := make([]float32, 3*n)
	for i := range clean {
		clean[i] = []float32{1, 100, 10000}[i/n] // in a sum each digit counts one clip
	}
	original := append([]float32(nil), clean...)
	mixed := mixNoise(rand.New(rand.NewPCG(1, 1)), 1, clean, 3)
	for i := range clean {
		if clean[i] != original[i] {
			t.Fatal("the clean audio was changed")
		}
	}
	for c := range 3 {
		touched := 0
		for _, v := range mixed[c*n : (c+1)*n] {
			own, pieces := 0, 0
			for other, digit := range []int{int(v) % 100, int(v) / 100 % 100, int(v) / 10000} {
				if other == c {
					own = digit
				} else {
					pieces += digit
				}
			}
			if pieces > 0 {
				touched++
			}
			if own != 1 || pieces > 3 {
				t.Fatalf("clip %d: sample %v is not itself once and at most three pieces of others", c, v)
			}
		}
		if touched == 0 || touched > 3*n/2 {
			t.Errorf("clip %d: %d samples got noise, want 1 to 3 pieces of at most half a clip", c, touched)
		}
	}
	for _, test := range []struct {
		name  string
		prob  float64
		clips int
	}{{"probability 0", 0, 3}, {"a batch of one", 1, 1}} {
		t.Run(test.name, func(t *testing.T) {
			for i, v := range mixNoise(rand.New(rand.NewPCG(1, 1)), test.prob, clean[:test.clips*n], test.clips) {
				if v != clean[i] {
					t.Fatal("samples changed")
				}
			}
		})
	}
}
