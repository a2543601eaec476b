package main

import (
	"fmt"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far a task is: a bar on a terminal, elsewhere a line every ten seconds, nothing with --quiet.
type progress struct {
	a     *app
	label string
	bar   *progressbar.ProgressBar
	last  time.Time
}

func (a *app) progress(label string) *progress {
	return &progress{a: a, label: label, last: time.Now()}
}

func (a *app) terminal() bool {
	f, ok := a.stderr.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// set shows done of total, and a note such as the current loss.
func (p *progress) set(done, total int, note string) {
	if p.a.quiet || total <= 0 {
		return
	}
	if !p.a.terminal() {
		if now := time.Now(); now.Sub(p.last) >= 10*time.Second || done == total {
			p.last = now
			fmt.Fprintf(p.a.stderr, "%s: %d of %d%s\n", p.label, done, total, prefixed("  ", note))
		}
		return
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(p.a.stderr), progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(24), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetPredictTime(true),
			progressbar.OptionOnCompletion(func() { fmt.Fprintln(p.a.stderr) }))
	}
	p.bar.Describe(p.label + prefixed("  ", note))
	_ = p.bar.Set(done) // an error here is one of drawing
}

// stop ends an unfinished bar's line, so that what follows starts on its own.
func (p *progress) stop() {
	if p.bar != nil && !p.bar.IsFinished() {
		fmt.Fprintln(p.a.stderr)
	}
	p.bar = nil
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}
