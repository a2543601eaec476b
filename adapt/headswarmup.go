package adapt

import "slices"

// HeadsWarmup is a stage of its own for fresh heads, before all others: with it their first, large gradients do not reach an
// encoder that is trained already. It trains the heads alone, on the first stage's mix of corpora, and costs no backward pass
// through the encoder. Where the heads come from a checkpoint it does not take place, so a recipe may leave open which of both
// it meets.
//
// The encoder is not put into evaluation: masks, dropout and layerdrop are as in the stages after it, as in fairseq's frozen
// fine-tuning, so that the heads learn on what they will see.
type HeadsWarmup struct {
	Steps int      `yaml:"steps" json:"steps"`
	LR    Schedule `yaml:"lr" json:"lr"`
}

// headsStage is the name of the stage that HeadsWarmup becomes.
const headsStage = "heads"

func (h *HeadsWarmup) validate(base string, check func(ok bool, format string, args ...any)) {
	if h == nil {
		return
	}
	check(base != "", "heads_warmup: a fresh encoder (init) learns together with its heads; this is for a base")
	check(h.Steps > 0, "heads_warmup: steps: got %d, want at least 1", h.Steps)
	err := h.LR.validate()
	check(err == nil, "heads_warmup: %v", err)
	check(h.LR.From != "last", "heads_warmup: lr.from: last needs a stage before")
}

// withHeadsWarmup is the recipe with its warm-up of the heads among the stages, or dropped where they are not fresh: what runs,
// and what is stored beside the result.
func (c Config) withHeadsWarmup(fresh bool) Config {
	h := c.HeadsWarmup
	c.HeadsWarmup = nil
	if h == nil || !fresh {
		return c
	}
	warm := Stage{Name: headsStage, Steps: h.Steps, Train: []string{headPrefix}, Replay: c.Stages[0].Replay, LR: h.LR}
	c.Stages = slices.Insert(slices.Clone(c.Stages), 0, warm)
	return c
}
