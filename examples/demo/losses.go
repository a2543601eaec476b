package demo

import (
	"context"

	"syncretic/adapt"
	"syncretic/examples/corpus"
	"syncretic/probe"
)

// UnigramCE is what the frequencies of the codes alone would give on a culture's held-out clips, in nats summed over codebooks.
type UnigramCE struct {
	Own     float64 `json:"own"`     // with the frequencies of the culture's own training clips
	Western float64 `json:"western"` // with those of the Western ones, all that the base has seen
}

// heldout takes the profile's number of clips of a split, with fixed crops and masks.
func (s *session) heldout(ctx context.Context, c corpus.Culture, split string) (*adapt.Heldout, error) {
	k := s.corpusConfig(c, false)
	k.Split = split
	clips, err := adapt.OpenCorpus(k)
	if err != nil {
		return nil, err
	}
	clips.Recordings = clips.Recordings[:min(s.profile.Heldout, len(clips.Recordings))]
	clips.Name += "-" + split
	targets, err := adapt.OpenTargets(ctx, s.path("targets"), s.teacher, clips, nil)
	if err != nil {
		return nil, err
	}
	defer targets.Close()
	return adapt.NewHeldout(s.models[modelBase], clips, targets, s.profile.CropSeconds, s.seed)
}

// measureLosses fills the matrix of models and cultures, on test clips, and the unigrams beside it.
func (s *session) measureLosses(ctx context.Context, rep *Report) error {
	var western adapt.Unigram
	for i, c := range s.cultures {
		clips, err := adapt.OpenCorpus(s.corpusConfig(c, false))
		if err != nil {
			return err
		}
		targets, err := adapt.OpenTargets(ctx, s.path("targets"), s.teacher, clips, nil)
		if err != nil {
			return err
		}
		own, err := adapt.CountUnigram(s.teacher, targets)
		targets.Close()
		if err != nil {
			return err
		}
		if c.Western {
			western = own
		}
		h, err := s.heldout(ctx, c, probe.Test)
		if err != nil {
			return err
		}
		rep.Unigram[c.Name] = UnigramCE{Own: h.UnigramCE(own), Western: h.UnigramCE(western)}
		for _, name := range s.order() {
			loss, err := h.MaskedLoss(s.models[name])
			if err != nil {
				return err
			}
			if rep.MaskedLoss[name] == nil {
				rep.MaskedLoss[name] = map[string]adapt.Loss{}
			}
			rep.MaskedLoss[name][c.Name] = loss
		}
		s.report("masked loss", i+1, len(s.cultures), c.Name)
	}
	return nil
}
