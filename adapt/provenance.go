package adapt

import (
	"encoding/json"

	"syncretic/adapt/audio"
)

// provenance is adapt.json: what a run was made of, enough to run it again.
func (w *work) provenance(version string) ([]byte, error) {
	r := w.run
	doc, err := json.MarshalIndent(struct {
		Version string            `json:"version"`
		Run     string            `json:"run"` // tells whether an output is this run's
		Inputs  map[string]string `json:"inputs_sha256"`
		Config  Config            `json:"config"`
		Heldout []HeldoutCorpus   `json:"heldout,omitempty"`
		Skipped []audio.Skipped   `json:"skipped,omitempty"`
		Steps   int               `json:"skipped_steps,omitempty"`
		From    string            `json:"spectrum"` // see TeacherConfig.Spectrum
		Index   Index             `json:"index"`
	}{version, w.key, r.inputs, r.cfg, r.Heldout(), r.Skipped(), w.skipped, r.teacher.SpectrumFrom(), r.index}, "", "  ")
	return append(doc, '\n'), err
}
