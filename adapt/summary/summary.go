// Package summary draws a training run as one HTML page that needs no network: the curves of its logs, what the held-out
// losses came to, and what the run was made of. It reads the logs alone, so it draws a run that is in progress as well as
// one that has ended.
//
//	s, err := summary.Read("out/makam.run")
//	err = s.Write(page)
//
// The same logs give the same bytes. Curves of many steps are thinned to means over runs of steps, so that the page stays
// small; its captions say so.
package summary

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"syncretic/checkpoint/chart"
)

//go:embed page.tmpl
var files embed.FS

// ErrInvalid marks logs that are not those of a training run.
var ErrInvalid = errors.New("invalid training log")

// Logs are what a run leaves: the files train.jsonl, heldout.jsonl and adapt.json. All but the first may be nil.
type Logs struct {
	Name       string // of the run, for the title
	Train      []byte
	Heldout    []byte
	Provenance []byte
}

// Summary is a run as its logs tell it.
type Summary struct {
	name    string
	steps   []step
	heldout []measurement
	made    made
}

// New parses logs. A last line that is cut off, as of a run in progress, is left out; any other that does not parse gives an
// error that wraps [ErrInvalid] with its number.
func New(l Logs) (*Summary, error) {
	s := &Summary{name: l.Name}
	var err error
	if s.steps, err = parseSteps(l.Train); err != nil {
		return nil, fmt.Errorf("%w: train.jsonl: %w", ErrInvalid, err)
	}
	if s.heldout, err = parseHeldout(l.Heldout); err != nil {
		return nil, fmt.Errorf("%w: heldout.jsonl: %w", ErrInvalid, err)
	}
	if s.made, err = parseProvenance(l.Provenance); err != nil {
		return nil, fmt.Errorf("%w: adapt.json: %w", ErrInvalid, err)
	}
	return s, nil
}

// Read parses the logs in a folder: the output of a run, or its folder of work while it goes on. A folder without train.jsonl
// gives an error that wraps fs.ErrNotExist.
func Read(dir string) (*Summary, error) {
	l := Logs{Name: strings.TrimSuffix(filepath.Base(filepath.Clean(dir)), ".run")}
	for _, f := range []struct {
		name string
		data *[]byte
	}{{"train.jsonl", &l.Train}, {"heldout.jsonl", &l.Heldout}, {"adapt.json", &l.Provenance}} {
		data, err := os.ReadFile(filepath.Join(dir, f.name))
		if err != nil && (!errors.Is(err, fs.ErrNotExist) || f.data == &l.Train) {
			return nil, err
		}
		*f.data = data
	}
	s, err := New(l)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return s, nil
}

// Steps are the steps that the log holds and those of the whole run; 0 and 0 before the first.
func (s *Summary) Steps() (done, total int) {
	if len(s.steps) == 0 {
		return 0, 0
	}
	last := s.steps[len(s.steps)-1]
	return last.Step, last.Steps
}

// page is what page.tmpl shows.
type page struct {
	Title, Subtitle string
	CSS             template.CSS
	Findings        []finding
	Sections        []section
}

// A finding is a headline figure.
type finding struct{ Label, Value, Note string }

// A section has curves, tables, and what is folded up, in this order.
type section struct {
	ID, Title string
	Words     string
	Plots     []chart.Plot
	Tables    []chart.Grid
	Folded    []chart.Grid
}

// Write renders the page.
func (s *Summary) Write(w io.Writer) error {
	p := page{Title: "Adaptation", Subtitle: s.subtitle(), Findings: s.findings()}
	if s.name != "" {
		p.Title += " of " + s.name
	}
	var err error
	if p.CSS, err = chart.Style(); err != nil {
		return fmt.Errorf("summary: %w", err)
	}
	for _, of := range []func() (section, error){s.heldoutSection, s.curvesSection, s.stagesSection, s.skippedSection, s.madeSection} {
		part, err := of()
		if err != nil {
			return fmt.Errorf("summary: %w", err)
		}
		if part.Words != "" || len(part.Plots)+len(part.Tables)+len(part.Folded) > 0 {
			p.Sections = append(p.Sections, part)
		}
	}
	t, err := chart.Parse(files, "page.tmpl")
	if err != nil {
		return fmt.Errorf("summary: %w", err)
	}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("summary: %w", err)
	}
	return nil
}
