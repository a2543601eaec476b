package chart

import (
	"fmt"
	"log"
	"math"
	"slices"
	"strings"
	"testing"
)

// tenThreads are trials of value 0 to 9 over a number and a choice; the even ones lack the number.
func tenThreads() Parallel {
	c := Parallel{Title: "t", Judged: "score", Axes: []Axis{{Name: "density", Low: 0, High: 1}, {Name: "method", Choices: []string{"sum", "ties"}}}}
	for i := range 10 {
		v := float64(i) / 10
		if i%2 == 0 {
			v = math.NaN()
		}
		c.Threads = append(c.Threads, Thread{Title: fmt.Sprint("trial ", i), Values: []float64{v, float64(i % 2)}, Value: float64(i), Chosen: i == 9})
	}
	return c
}

func TestRanks(t *testing.T) {
	c := tenThreads()
	c.Threads[3].Faint, c.Threads[5].Value = true, math.NaN() // eight remain
	if got, want := c.ranks(), []int{0, 1, 1, -1, 2, -1, 3, 3, 4, 4}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	c.Smaller = true
	if got, want := c.ranks(), []int{4, 4, 3, -1, 3, -1, 2, 1, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("smaller is better: %v, want %v", got, want)
	}
	for i := range c.Threads {
		c.Threads[i].Value = 1
	}
	if got := c.ranks(); got[0] != 4 || got[9] != 4 {
		t.Errorf("equal values have ranks %v, want the better one's", got)
	}
}

func TestParallelDrawsEveryThread(t *testing.T) {
	c := tenThreads()
	c.Threads[0].Faint = true
	p, err := NewParallel("id", c)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range p.Drawings {
		n := 0
		for _, set := range d.Threads {
			n += len(set.Each)
		}
		if n != 10 || d.Threads[0].Class != "pale" || d.Threads[len(d.Threads)-1].Class != "pick" || len(d.Axes) != 2 {
			t.Errorf("%s: %d threads, %d axes, from %s to %s", d.Class, n, len(d.Axes), d.Threads[0].Class, d.Threads[len(d.Threads)-1].Class)
		}
		if last := d.Axes[0].Ticks[len(d.Axes[0].Ticks)-1]; last.Label != "none" {
			t.Errorf("%s: an axis that some threads lack has no place for them: %+v", d.Class, d.Axes[0].Ticks)
		}
		if last := d.Axes[1].Ticks[len(d.Axes[1].Ticks)-1]; last.Label != "ties" {
			t.Errorf("%s: an axis that all threads have ends in %q", d.Class, last.Label)
		}
	}
	page := executed(t, p)
	// The best fifth of nine are trials 8 and 9, of which 9 has a density.
	for _, want := range []string{"<title>trial 7</title>", "best fifth, 8.000 to 9.000", "not compared", ">chosen<", "<td>0.9</td><td>0.9 to 0.9</td><td>0.3 to 0.7</td>", "<td>ties</td><td>sum, 50 %</td><td>sum, 50 %</td>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "NaN") {
		t.Error("the page says NaN")
	}
}

// TestRail: what lies outside of an axis is at its end, on a logarithmic one too.
func TestRail(t *testing.T) {
	c := Parallel{Axes: []Axis{{Low: 0, High: 2}, {Low: 0.01, High: 1, Log: true}, {Choices: []string{"a", "b"}}, {Low: 5, High: 5}}}
	wide := parallelFrames(4)[0]
	rails := c.rails(wide)
	for _, k := range []struct {
		rail int
		v    float64
		at   float64 // as a share of the axis, from its foot; above 1 for the place of what does not exist
	}{
		{0, 0, 0}, {0, 1, 0.5}, {0, 9, 1}, {0, -9, 0}, {0, math.Inf(1), 1}, {1, 0.1, 0.5}, {1, 0, 0}, {1, -1, 0}, {2, 0, 0.25}, {2, 1, 0.75}, {2, 7, 1}, {3, 5, 0.5}, {3, 6, 0.5},
	} {
		r := rails[k.rail]
		if got := (r.place(k.v, 0, true) - r.From) / (r.To - r.From); math.Abs(got-k.at) > 1e-12 {
			t.Errorf("axis %d: %v is at %v of it, want %v", k.rail, k.v, got, k.at)
		}
	}
	if got := rails[0].place(math.NaN(), 0, false); got != rails[0].missing || got <= rails[0].From {
		t.Errorf("what does not exist is at %v, want below the axis at %v", got, rails[0].From)
	}
	if a, b := rails[2].place(0, 1, false), rails[2].place(0, 2, false); a == b {
		t.Error("threads of one choice lie on each other")
	}
}

// TestManyAxesAreStacked: where names would have no room side by side.
func TestManyAxesAreStacked(t *testing.T) {
	if few, many := parallelFrames(9)[0], parallelFrames(30)[0]; few.labels || !many.labels || many.height < 30*stride {
		t.Errorf("9 axes stacked %t, 30 axes %t of height %v", few.labels, many.labels, many.height)
	}
	c := Parallel{Threads: []Thread{{Value: 1}}}
	for i := range 30 {
		c.Axes = append(c.Axes, Axis{Name: fmt.Sprint("a parameter with a long name ", i), High: 1})
		c.Threads[0].Values = append(c.Threads[0].Values, 0.5)
	}
	p, err := NewParallel("id", c)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range p.Drawings {
		for _, a := range d.Axes {
			if a.NameY < 0 || a.NameY > d.Height || a.NameX+6.6*float64(len(a.Name)) > d.Width {
				t.Errorf("%s: name %q at (%v, %v) of %v x %v", d.Class, a.Name, a.NameX, a.NameY, d.Width, d.Height)
			}
		}
	}
}

func TestNewParallelRefuses(t *testing.T) {
	for name, c := range map[string]Parallel{
		"no axes":            {},
		"a short thread":     {Axes: []Axis{{High: 1}}, Threads: []Thread{{}}},
		"a range of nothing": {Axes: []Axis{{Low: 1, High: 0}}},
		"a range to NaN":     {Axes: []Axis{{High: math.NaN()}}},
		"infinite":           {Axes: []Axis{{High: math.Inf(1)}}},
		"a logarithm of 0":   {Axes: []Axis{{High: 1, Log: true}}},
	} {
		if _, err := NewParallel("id", c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewParallel("id", Parallel{Axes: []Axis{{High: 1}}}); err != nil {
		t.Errorf("no threads: %v", err)
	}
}

func ExampleNewParallel() {
	p, err := NewParallel("trials", Parallel{Title: "Trials", Judged: "ROC-AUC", Axes: []Axis{{Name: "lambda", High: 1}},
		Threads: []Thread{{Values: []float64{0.2}, Value: 0.8, Chosen: true}, {Values: []float64{0.9}, Value: 0.6}}})
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range p.Legend {
		fmt.Println(l.Name)
	}
	// Output:
	// best fifth, 0.800 to 0.800
	// third, 0.600 to 0.600
	// chosen
}
