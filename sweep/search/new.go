package search

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// New returns the sampler that a configuration describes. Errors wrap [ErrSpace]: a space that cannot be searched, or that
// this sampler cannot search (a grid without values for a continuous parameter, CMA-ES with words, TPE with two objectives).
func New(cfg Config) (Sampler, error) {
	if err := cfg.Space.Check(); err != nil {
		return nil, err
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	sampler, err := cfg.sampler()
	if err != nil || cfg.Trials == 0 {
		return sampler, err
	}
	return limited{sampler, cfg.Trials}, nil
}

func (cfg Config) sampler() (Sampler, error) {
	switch cfg.Kind {
	case Grid:
		return newGrid(cfg)
	case Random:
		return random{cfg.Space, cfg.Seed}, nil
	case Sobol:
		return newSobol(cfg)
	case TPE:
		return newTPE(cfg)
	case CMAES:
		return newCMAES(cfg)
	case NSGA2:
		return newNSGA2(cfg)
	}
	return nil, fmt.Errorf("%w: sampler %q, want one of %q", ErrSpace, cfg.Kind, []Kind{Grid, Random, Sobol, TPE, CMAES, NSGA2})
}

func (cfg Config) check() error {
	if len(cfg.Directions) == 0 {
		return fmt.Errorf("%w: sampler %q: no direction, want one for each objective", ErrSpace, cfg.Kind)
	}
	for _, d := range cfg.Directions {
		if d != Maximize && d != Minimize {
			return fmt.Errorf("%w: sampler %q: direction %q, want %q or %q", ErrSpace, cfg.Kind, d, Maximize, Minimize)
		}
	}
	if n := len(cfg.Directions); n > 1 && (cfg.Kind == TPE || cfg.Kind == CMAES) {
		return fmt.Errorf("%w: sampler %q: %d objectives, want 1; %q searches several", ErrSpace, cfg.Kind, n, NSGA2)
	}
	if cfg.Trials < 0 || cfg.Startup < 0 || cfg.Population < 0 {
		return fmt.Errorf("%w: sampler %q: trials %d, startup %d, population %d, want none below 0",
			ErrSpace, cfg.Kind, cfg.Trials, cfg.Startup, cfg.Population)
	}
	if cfg.Kind != CMAES {
		return nil
	}
	for _, p := range cfg.Space {
		if p.Categorical() || p.When != "" {
			return fmt.Errorf("%w: sampler %q: parameter %q is one of several words or exists at some points only, want numbers that always exist",
				ErrSpace, cfg.Kind, p.Name)
		}
	}
	return nil
}

// limited ends a sampler after a number of trials.
type limited struct {
	Sampler
	trials int
}

func (l limited) Ask(history []Trial) (Proposal, error) {
	if counted(history) >= l.trials {
		return Proposal{Done: true}, nil
	}
	return l.Sampler.Ask(history)
}

// counted returns how many trials have not failed.
func counted(history []Trial) int {
	n := 0
	for _, t := range history {
		if t.State != Fail {
			n++
		}
	}
	return n
}

// source returns the random numbers for the trial that follows the history. They depend on the seed and on that trial's
// number alone; ChaCha8 makes those of neighbouring seeds and numbers independent.
func source(seed uint64, history []Trial) *rand.Rand {
	next := 0
	if n := len(history); n > 0 {
		next = history[n-1].Number + 1
	}
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
		key[8+i] = byte(uint64(next) >> (8 * i))
	}
	return rand.New(rand.NewChaCha8(key))
}

// loss turns a value into one that is to be minimised; a missing or undefined one is the worst.
func loss(values []float64, objective int, d Direction) float64 {
	if objective >= len(values) || math.IsNaN(values[objective]) {
		return math.Inf(1)
	}
	if d == Maximize {
		return -values[objective]
	}
	return values[objective]
}
