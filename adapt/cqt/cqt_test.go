package cqt_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"syncretic/adapt/cqt"
)

func newTransform(t *testing.T, cfg cqt.Config) *cqt.Transform {
	t.Helper()
	tr, err := cqt.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// A sine of amplitude A at a bin's own frequency gives (A/2)·√l in the middle of the clip. The figures for A = 0.5 are
// ¼·√35680 and ¼·√663.
func TestSine(t *testing.T) {
	tr := newTransform(t, cqt.MERT())
	for _, c := range []struct {
		bin  int
		want float64
	}{{24, 47.2229}, {300, 6.4372}} {
		f := 32.7 * math.Exp2(float64(c.bin)/48)
		x := make([]float32, 2*24000)
		for i := range x {
			x[i] = float32(0.5 * math.Sin(2*math.Pi*f*float64(i)/24000+0.3))
		}
		row := tr.Magnitudes(x)[75*336 : 76*336]
		if got := float64(row[c.bin]); math.Abs(got-c.want) > 1e-3*c.want { // the image at −f and the window's ends
			t.Errorf("bin %d: %.4f, want %.4f", c.bin, got, c.want)
		}
		for k, v := range row {
			// Bins two or more windows' widths away see almost nothing: a Hann window's sidelobes are below 3 %.
			if math.Abs(float64(k-c.bin)) > 3 && v > 0.03*row[c.bin] {
				t.Errorf("sine at bin %d: bin %d has %.4f", c.bin, k, v)
			}
		}
	}
}

func TestFrames(t *testing.T) {
	tr := newTransform(t, small())
	for _, c := range []struct{ samples, want int }{
		{-1, 0}, {0, 0}, {1, 1}, {319, 1}, {320, 2}, {96000, 301}, {120000, 376}, {120001, 376},
	} {
		if got := tr.Frames(c.samples); got != c.want {
			t.Errorf("Frames(%d) = %d, want %d", c.samples, got, c.want)
		}
		if c.samples >= 0 && c.samples < 1000 {
			if got := len(tr.Magnitudes(make([]float32, c.samples))); got != c.want*144 {
				t.Errorf("%d samples: %d magnitudes, want %d", c.samples, got, c.want*144)
			}
		}
	}
}

func TestSilenceIsZero(t *testing.T) {
	for i, v := range newTransform(t, small()).Magnitudes(make([]float32, 5000)) {
		if v != 0 {
			t.Fatalf("value %d of silence is %g", i, v)
		}
	}
}

func TestPowerOfTwoScalesExactly(t *testing.T) {
	tr := newTransform(t, small())
	x := noise(9000, 3)
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = -4 * v
	}
	a, b := tr.Magnitudes(x), tr.Magnitudes(y)
	for i := range a {
		if b[i] != 4*a[i] {
			t.Fatalf("value %d: %g for 4 times the signal, %g before", i, b[i], a[i])
		}
	}
}

// A clip moved by whole hops has the same rows, moved. This also crosses the border between blocks of 512 frames.
func TestShiftMovesFrames(t *testing.T) {
	cfg := cqt.Config{SampleRate: 24000, Hop: 320, FMin: 200, Bins: 30, BinsPerOctave: 12}
	tr := newTransform(t, cfg)
	x := noise(40*320, 4)
	a := tr.Magnitudes(x)
	for _, hops := range []int{1, 490, 511, 512, 1000} {
		y := make([]float32, hops*320+len(x))
		copy(y[hops*320:], x)
		b := tr.Magnitudes(y)
		for f := range tr.Frames(len(x)) {
			for k := range cfg.Bins {
				got, want := float64(b[(f+hops)*cfg.Bins+k]), float64(a[f*cfg.Bins+k])
				if math.Abs(got-want) > 1e-6*(1+want) {
					t.Fatalf("moved by %d: frame %d, bin %d: %g, want %g", hops, f, k, got, want)
				}
			}
		}
	}
}

func TestNaNStaysNear(t *testing.T) {
	cfg := small()
	tr := newTransform(t, cfg)
	x := noise(96000, 5)
	x[48000] = float32(math.NaN())
	m := tr.Magnitudes(x)
	if v := m[150*cfg.Bins]; !math.IsNaN(float64(v)) {
		t.Errorf("bin 0 around the NaN is %g", v)
	}
	for _, f := range []int{0, 100, 200, 300} { // further than half of 8192 samples
		for k, v := range m[f*cfg.Bins : (f+1)*cfg.Bins] {
			if math.IsNaN(float64(v)) {
				t.Fatalf("frame %d, bin %d is NaN", f, k)
			}
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	tr := newTransform(t, small())
	clips := [][]float32{noise(4000, 1), noise(9000, 2), noise(700, 3), noise(20000, 4)}
	want := make([][]float32, len(clips))
	for i, c := range clips {
		want[i] = tr.Magnitudes(c)
	}
	var wg sync.WaitGroup
	for range 3 {
		for i, c := range clips {
			wg.Go(func() {
				if got := tr.Magnitudes(c); !reflect.DeepEqual(got, want[i]) {
					t.Errorf("clip %d differs from the first run", i)
				}
			})
		}
	}
	wg.Wait()
}

func TestConfigErrors(t *testing.T) {
	change := func(f func(c *cqt.Config)) cqt.Config {
		c := cqt.MERT()
		f(&c)
		return c
	}
	tests := []struct {
		name string
		cfg  cqt.Config
		want string
	}{
		{"zero value", cqt.Config{}, "sample_rate 0"},
		{"hop", change(func(c *cqt.Config) { c.Hop = -1 }), "hop -1"},
		{"bins", change(func(c *cqt.Config) { c.Bins = 0 }), "bins 0"},
		{"bins an octave", change(func(c *cqt.Config) { c.BinsPerOctave = 0 }), "bins_per_octave 0"},
		{"fmin", change(func(c *cqt.Config) { c.FMin = 0 }), "fmin 0 Hz"},
		{"fmin NaN", change(func(c *cqt.Config) { c.FMin = math.NaN() }), "fmin NaN"},
		{"fmin infinite", change(func(c *cqt.Config) { c.FMin = math.Inf(1) }), "fmin +Inf"},
		{"window of one sample", change(func(c *cqt.Config) { c.MaxWindow = 1 }), "max_window 1"},
		{"negative window", change(func(c *cqt.Config) { c.MaxWindow = -5 }), "max_window -5"},
		{"above half the rate", change(func(c *cqt.Config) { c.Bins = 500 }), "highest bin"},
		{"windows without end", change(func(c *cqt.Config) { c.FMin = 1e-9; c.Bins = 10 }), "windows hold"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := cqt.New(test.cfg)
			if !errors.Is(err, cqt.ErrConfig) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want ErrConfig with %q", err, test.want)
			}
		})
	}
}

func TestConfigKeys(t *testing.T) {
	cfg := small()
	asJSON, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"sample_rate":24000,"hop":320,"fmin":65.4,"bins":144,"bins_per_octave":24,"max_window":8192}`; string(asJSON) != want {
		t.Errorf("JSON %s, want %s", asJSON, want)
	}
	var back cqt.Config
	if err := yaml.Unmarshal(asJSON, &back); err != nil || back != cfg { // JSON is YAML
		t.Errorf("by YAML: %+v, %v", back, err)
	}
	if got := newTransform(t, cfg).Config(); got != cfg {
		t.Errorf("Config() = %+v", got)
	}
}

func Example() {
	transform, err := cqt.New(cqt.Config{SampleRate: 24000, Hop: 320, FMin: 110, Bins: 36, BinsPerOctave: 12})
	if err != nil {
		fmt.Println(err)
		return
	}
	clip := make([]float32, 24000) // one second of A4, two octaves above bin 0
	for i := range clip {
		clip[i] = float32(math.Sin(2 * math.Pi * 440 * float64(i) / 24000))
	}
	magnitudes := transform.Magnitudes(clip)
	middle := magnitudes[38*36 : 39*36]
	loudest := 0
	for k, v := range middle {
		if v > middle[loudest] {
			loudest = k
		}
	}
	fmt.Println(transform)
	fmt.Println("frames:", transform.Frames(len(clip)), "loudest bin:", loudest)
	// Output:
	// cqt of 36 bins from 110 Hz, 12 an octave, hop 320
	// frames: 76 loudest bin: 24
}
