package optim

import (
	"slices"
	"strings"
	"testing"
)

// Stopping after three steps of five and going on with another optimizer gives
// the same bits as never stopping.
func TestResume(t *testing.T) {
	cfg := AdamWConfig{WeightDecay: 0.01, Variant: Fairseq}
	straight := twoParams()
	train(NewAdamW(cfg, straight), straight, 0, 5)

	params := twoParams()
	first := NewAdamW(cfg, params)
	train(first, params, 0, 3)
	second := NewAdamW(cfg, params)
	if err := second.Restore(first.State()); err != nil {
		t.Fatal(err)
	}
	for _, s := range first.State() {
		clear(s.M) // the second has its own copies
		clear(s.V)
	}
	train(second, params, 3, 5)
	for i, p := range params {
		if !slices.Equal(valueOf(p), valueOf(straight[i])) {
			t.Errorf("%s: values differ from those of an uninterrupted run", p.Name)
		}
	}
	if s := second.State(); len(s) != 2 || s[0].Name != "a" || s[0].Step != 5 {
		t.Errorf("after resuming: %d states, first %q at step %d; want 2, a at 5", len(s), s[0].Name, s[0].Step)
	}
}

func TestRestoreInvalid(t *testing.T) {
	ones := []float32{1, 1}
	for _, test := range []struct {
		name    string
		states  []State
		message string
	}{
		{"unknown name", []State{{"q", 1, ones, ones}}, `state "q": no parameter has that name`},
		{"twice", []State{{"p", 1, ones, ones}, {"p", 1, ones, ones}}, `state "p": given twice`},
		{"short m", []State{{"p", 1, ones[:1], ones}}, `state "p": moments of 1 and 2 elements, want 2`},
		{"no v", []State{{"p", 1, ones, nil}}, `state "p": moments of 2 and 0 elements, want 2`},
		{"step 0", []State{{"p", 0, ones, ones}}, `state "p": step is 0, want 1 or more`},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newParam("p", 1, 2)
			setGrad(p, 1, 1)
			opt := NewAdamW(AdamWConfig{}, []Param{p})
			opt.Step(0.1)
			before := opt.State()[0]
			err := opt.Restore(test.states)
			if err == nil || !strings.Contains(err.Error(), test.message) {
				t.Errorf("error %v, want ...%s", err, test.message)
			}
			if after := opt.State()[0]; after.Step != 1 || &after.M[0] != &before.M[0] {
				t.Error("a failed Restore changed the optimizer")
			}
		})
	}
}

func TestRestoreNothing(t *testing.T) {
	params := twoParams()
	opt := NewAdamW(AdamWConfig{}, params)
	train(opt, params, 0, 1)
	if err := opt.Restore(nil); err != nil {
		t.Fatal(err)
	}
	if s := opt.State(); len(s) != 0 {
		t.Errorf("%d states after restoring none", len(s))
	}
}
