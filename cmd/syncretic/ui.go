package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far a task is: a bar on a terminal, elsewhere a line every ten seconds, with --progress=json an object
// a line at most every second, nothing with --quiet.
type progress struct {
	a     *app
	label string
	bar   *progressbar.ProgressBar
	last  time.Time
	timed bool // the notes say how long the rest takes, so that the bar need not guess
	ended bool // all was shown; a last block that is reported twice must not draw a second bar
}

// The values of --progress.
const (
	progressAuto = "auto"
	progressJSON = "json"
)

// event writes one object of --progress=json: what happened, and more about it.
func (a *app) event(what string, fields map[string]any) {
	all := map[string]any{"event": what}
	maps.Copy(all, fields)
	line, err := json.Marshal(all)
	if err != nil {
		line = []byte(`{"event":"log","text":"an event that JSON cannot hold"}`)
	}
	fmt.Fprintf(a.stderr, "%s\n", line)
}

// Columns of a terminal's line: the bar itself, and what surrounds it at most, as in "100% || (12000/12000) [59m59s:59m59s]".
const (
	barColumns  = 24
	sideColumns = 39
)

func (a *app) progress(label string) *progress {
	return &progress{a: a, label: label, last: time.Now()}
}

func (a *app) terminal() bool {
	f, ok := a.stderr.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// set shows done of total, and a note such as the current loss.
func (p *progress) set(done, total int, note string) { p.report(done, total, note, nil) }

// report is set, with what the objects of --progress=json hold besides.
func (p *progress) report(done, total int, note string, fields map[string]any) {
	if p.a.quiet || total <= 0 || p.ended {
		return
	}
	p.ended = done >= total
	if p.a.shown == progressJSON {
		if now := time.Now(); now.Sub(p.last) >= time.Second || p.ended {
			p.last = now
			all := map[string]any{"task": p.label, "done": done, "total": total}
			maps.Copy(all, fields)
			if note != "" {
				all["note"] = note
			}
			p.a.event("progress", all)
		}
		return
	}
	if !p.a.terminal() {
		if now := time.Now(); now.Sub(p.last) >= 10*time.Second || p.ended {
			p.last = now
			fmt.Fprintf(p.a.stderr, "%s: %d of %d%s\n", p.label, done, total, prefixed("  ", note))
		}
		return
	}
	width := p.a.columns() - sideColumns
	bar := min(barColumns, max(4, width/4))
	if p.bar == nil {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(p.a.stderr), progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(bar), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetPredictTime(!p.timed),
			progressbar.OptionOnCompletion(func() { fmt.Fprintln(p.a.stderr) }))
	}
	p.bar.Describe(clip(p.label+prefixed("  ", note), width-bar))
	_ = p.bar.Set(done) // an error here is one of drawing
}

// logf writes a log line, above the bar where there is one.
func (p *progress) logf(format string, args ...any) {
	if p.bar != nil {
		_ = p.bar.Clear() // an error here is one of drawing
	}
	p.a.logf(format, args...)
}

// stop ends an unfinished bar's line, so that what follows starts on its own.
func (p *progress) stop() {
	if p.bar != nil && !p.bar.IsFinished() {
		fmt.Fprintln(p.a.stderr)
	}
	p.bar = nil
}

// columns is the width of the terminal, 80 where it does not say.
func (a *app) columns() int {
	if f, ok := a.stderr.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// clip cuts text to the given number of characters, so that a bar never takes two lines.
func clip(text string, width int) string {
	if r := []rune(text); len(r) > width {
		return string(r[:max(0, width)])
	}
	return text
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}
