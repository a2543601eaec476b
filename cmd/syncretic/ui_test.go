package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestProgressOffATerminal(t *testing.T) {
	for _, test := range []struct {
		name  string
		quiet bool
		draw  func(p *progress)
		want  string
	}{
		{"only the end", false, func(p *progress) { p.set(1, 3, "loss 2"); p.set(2, 3, ""); p.set(3, 3, "loss 1") }, "work: 3 of 3  loss 1\n"},
		{"an end reported twice", false, func(p *progress) { p.set(3, 3, ""); p.set(3, 3, "") }, "work: 3 of 3\n"},
		{"a line after ten seconds", false, func(p *progress) { p.last = p.last.Add(-11 * time.Second); p.set(1, 3, ""); p.set(2, 3, "") }, "work: 1 of 3\n"},
		{"nothing to do", false, func(p *progress) { p.set(0, 0, "") }, ""},
		{"quiet", true, func(p *progress) { p.set(3, 3, "") }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var stderr bytes.Buffer
			p := (&app{stderr: &stderr, quiet: test.quiet}).progress("work")
			test.draw(p)
			p.stop()
			if stderr.String() != test.want {
				t.Errorf("got %q, want %q", stderr.String(), test.want)
			}
		})
	}
}

func TestClip(t *testing.T) {
	for _, test := range []struct {
		text  string
		width int
		want  string
	}{
		{"adapting", 80, "adapting"}, {"adapting", 8, "adapting"}, {"adapting", 5, "adapt"}, {"makám ist", 5, "makám"}, {"adapting", 0, ""}, {"adapting", -3, ""},
	} {
		if got := clip(test.text, test.width); got != test.want {
			t.Errorf("clip(%q, %d) = %q, want %q", test.text, test.width, got, test.want)
		}
	}
}

func TestColumnsWithoutATerminal(t *testing.T) {
	a := &app{stderr: new(bytes.Buffer)}
	if a.terminal() || a.columns() != 80 {
		t.Errorf("a buffer counts as a terminal of %d columns", a.columns())
	}
}

func TestLogLines(t *testing.T) {
	var stderr bytes.Buffer
	a := &app{stderr: &stderr}
	a.logf("%d of %d", 1, 2)
	a.quiet = true
	a.logf("not this")
	if stderr.String() != "1 of 2\n" {
		t.Errorf("got %q", stderr.String())
	}
}

// Progress stands on standard error alone, and --quiet takes it away.
func TestProgressStaysOffStandardOutput(t *testing.T) {
	w := newWorkshop(t)
	w.audioBench()
	loud := w.succeed("embed base long.wav -o a.safetensors")
	quiet := w.succeed("embed base long.wav -o b.safetensors --quiet")
	if !strings.Contains(loud.stderr, "embedding: 1 of 1") || strings.Contains(loud.stdout, "embedding") || quiet.stderr != "" || quiet.stdout == "" {
		t.Errorf("with progress %+v, quiet %+v", loud, quiet)
	}
}
