package summary

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"syncretic/checkpoint/chart"
)

// made is what adapt.json says a run was made of.
type made struct {
	Version string            `json:"version"`
	Inputs  map[string]string `json:"inputs_sha256"`
	Config  struct {
		Objective *struct {
			Codebook float64 `json:"codebook_weight"`
			CQT      float64 `json:"cqt_weight"`
			Penalty  float64 `json:"feature_penalty"`
		} `json:"objective"`
		Corpora []struct {
			Name   string `json:"name"`
			Replay bool   `json:"replay"`
		} `json:"corpora"`
		Stages []struct {
			Name      string          `json:"name"`
			Steps     int             `json:"steps"`
			Train     []string        `json:"train"`
			Replay    float64         `json:"replay"`
			LR        json.RawMessage `json:"lr"`
			Optimizer string          `json:"optimizer"`
		} `json:"stages"`
	} `json:"config"`
	Heldout []struct {
		Name   string `json:"name"`
		Split  string `json:"split"`
		Clips  int    `json:"clips"`
		Of     int    `json:"of"`
		Short  int    `json:"short"`
		Reason string `json:"reason"`
	} `json:"heldout"`
	Skipped []struct {
		Path, Reason string
	} `json:"skipped"`
	Index struct {
		Corpora []struct {
			Name       string  `json:"name"`
			Recordings int     `json:"recordings"`
			Hours      float64 `json:"hours"`
			Used       int     `json:"used"`
			HoursUsed  float64 `json:"hours_used"`
			Passes     float64 `json:"passes"`
		} `json:"corpora"`
		Warnings []string `json:"warnings"`
	} `json:"index"` // of older runs empty

	recipe []fact // every key of the config, in its order
}

// fact is a key with its value.
type fact struct{ name, value string }

func parseProvenance(doc []byte) (m made, err error) {
	if len(doc) == 0 {
		return m, nil
	}
	if err := json.Unmarshal(doc, &m); err != nil {
		return m, err
	}
	var raw struct {
		Config json.RawMessage `json:"config"`
	}
	if err := json.Unmarshal(doc, &raw); err != nil {
		return m, err
	}
	m.recipe, err = flatten(raw.Config)
	return m, err
}

// weights are those of the parts of the loss; 1 where they are not known.
func (m made) weights() (w struct{ Codebook, CQT, Penalty float64 }) {
	w.Codebook, w.CQT, w.Penalty = 1, 1, 1
	if o := m.Config.Objective; o != nil {
		w.Codebook, w.CQT, w.Penalty = o.Codebook, o.CQT, o.Penalty
	}
	return w
}

// stagesSection is what the run was to do: its stages, its corpora and every key of its recipe.
func (s *Summary) stagesSection() (section, error) {
	sec := section{ID: "recipe", Title: "Recipe"}
	if len(s.made.Config.Stages) > 0 {
		g := chart.Grid{ID: "stages", Title: "Stages", Class: "words", Header: []string{"Stage", "trains", "learning rate", "optimiser", "steps", "replay"}, TextColumns: 4}
		for _, stage := range s.made.Config.Stages {
			trains, optimizer := "everything", "fresh"
			if len(stage.Train) > 0 {
				trains = strings.Join(stage.Train, " ")
			}
			if stage.Optimizer != "" {
				optimizer = stage.Optimizer
			}
			schedule, err := flatten(stage.LR)
			if err != nil {
				return sec, err
			}
			var rate []string
			for _, f := range schedule {
				rate = append(rate, f.name+" "+f.value)
			}
			g.Rows = append(g.Rows, chart.Row{Name: stage.Name, Cells: append(words(trains, strings.Join(rate, ", "), optimizer),
				chart.Cell{Text: fmt.Sprint(stage.Steps)}, chart.Cell{Text: percent(stage.Replay)})})
		}
		sec.Tables = append(sec.Tables, g)
	}
	if len(s.made.Index.Corpora) > 0 {
		g := chart.Grid{ID: "hours", Title: "Hours by corpus", Caption: strings.Join(s.made.Index.Warnings, " "), Class: "words",
			Header: []string{"Corpus", "hours used", "of", "recordings used", "of", "passes"}, TextColumns: 1}
		for _, c := range s.made.Index.Corpora {
			g.Rows = append(g.Rows, chart.Row{Name: c.Name, Cells: []chart.Cell{{Text: chart.Figure(c.HoursUsed, 2)}, {Text: chart.Figure(c.Hours, 2)},
				{Text: fmt.Sprint(c.Used)}, {Text: fmt.Sprint(c.Recordings)}, {Text: chart.Figure(c.Passes, 1)}}})
		}
		sec.Tables = append(sec.Tables, g)
	}
	if len(s.made.Heldout) > 0 {
		g := chart.Grid{ID: "heldout-corpora", Title: "Held-out corpora", Class: "words", Header: []string{"Corpus", "split", "left out", "clips", "of recordings", "too short"}, TextColumns: 3}
		for _, c := range s.made.Heldout {
			g.Rows = append(g.Rows, chart.Row{Name: c.Name, Cells: append(words(c.Split, c.Reason),
				chart.Cell{Text: fmt.Sprint(c.Clips)}, chart.Cell{Text: fmt.Sprint(c.Of)}, chart.Cell{Text: fmt.Sprint(c.Short)})})
		}
		sec.Tables = append(sec.Tables, g)
	}
	if len(s.made.recipe) > 0 {
		sec.Folded = append(sec.Folded, facts("recipe-keys", "Every key of the recipe", "Key", "value", s.made.recipe))
	}
	return sec, nil
}

// words are cells of text.
func words(texts ...string) (cells []chart.Cell) {
	for _, text := range texts {
		cells = append(cells, chart.Cell{Text: text, Class: "text"})
	}
	return cells
}

// madeSection is where the run came from.
func (s *Summary) madeSection() (section, error) {
	sec := section{ID: "inputs", Title: "Inputs"}
	if len(s.made.Inputs) == 0 {
		return sec, nil
	}
	var names []string
	for name := range s.made.Inputs {
		names = append(names, name)
	}
	slices.Sort(names)
	list := []fact{{"version", s.made.Version}}
	for _, name := range names {
		list = append(list, fact{name, s.made.Inputs[name]})
	}
	sec.Tables = append(sec.Tables, facts("hashes", "SHA-256 of what the run began with", "Input", "SHA-256", list))
	return sec, nil
}

// facts is a table of names and values in words.
func facts(id, title, name, value string, list []fact) chart.Grid {
	g := chart.Grid{ID: id, Title: title, Class: "words", Header: []string{name, value}, TextColumns: 2}
	for _, f := range list {
		g.Rows = append(g.Rows, chart.Row{Name: f.name, Cells: words(f.value)})
	}
	return g
}

// mostListed is how many skipped steps or recordings are listed.
const mostListed = 100

// skippedSection lists what the run left out.
func (s *Summary) skippedSection() (section, error) {
	sec := section{ID: "skipped", Title: "Left out"}
	caption := func(n int) string {
		if n > mostListed {
			return fmt.Sprintf("The first %d of %d.", mostListed, n)
		}
		return ""
	}
	steps := chart.Grid{ID: "skipped-steps", Title: "Skipped steps", Class: "words", Header: []string{"Step", "stage", "reason"}, TextColumns: 3}
	n := 0
	for _, step := range s.steps {
		if !step.Skipped {
			continue
		}
		if n++; n <= mostListed {
			steps.Rows = append(steps.Rows, chart.Row{Name: fmt.Sprint(step.Step), Cells: words(step.Stage, step.Reason)})
		}
	}
	if steps.Caption = caption(n); n > 0 {
		sec.Tables = append(sec.Tables, steps)
	}
	recordings := chart.Grid{ID: "skipped-recordings", Title: "Recordings that cannot be read", Caption: caption(len(s.made.Skipped)), Class: "words",
		Header: []string{"Recording", "reason"}, TextColumns: 2}
	for i, r := range s.made.Skipped {
		if i < mostListed {
			recordings.Rows = append(recordings.Rows, chart.Row{Name: r.Path, Cells: words(r.Reason)})
		}
	}
	if len(recordings.Rows) > 0 {
		sec.Tables = append(sec.Tables, recordings)
	}
	return sec, nil
}
