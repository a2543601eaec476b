package adapt

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"syncretic/checkpoint"
)

// EvalConfig says on what, and against which teacher, models are measured: see [Evaluation].
type EvalConfig struct {
	Teacher   TeacherConfig  // one that exists: it is never fitted here
	Objective Objective      // masks, temperature and CodebookDim; its weights are not used
	Corpora   []CorpusConfig // with a folder as Manifest where Split is AllSplits; Replay and Weight are not used
	Seconds   float64        // of a crop
	Seed      uint64         // of the crops' places and of the masks
	Targets   string         // a folder for cached targets; "" means beside the teacher
	Clips     int            // most crops of a corpus, drawn by Seed; only their recordings are read. 0 means all
}

// Eval takes a recipe's teacher, objective, length of crops and place of targets for an evaluation on the given corpora.
func (c Config) Eval(corpora []CorpusConfig, seed uint64) EvalConfig {
	corpora = slices.Clone(corpora)
	for i := range corpora {
		corpora[i].Hours, corpora[i].Exclude = 0, nil // of training
	}
	return EvalConfig{Teacher: c.Teacher, Objective: c.Objective, Corpora: corpora, Seconds: c.Batch.Seconds, Seed: seed, Targets: c.Targets}
}

// StoredConfig reads the recipe that Train kept in a model directory, in adapt.json. Paths in it are as the recipe had them. A
// directory without the file gives an error that wraps fs.ErrNotExist, a file that holds no recipe one that wraps [ErrConfig].
func StoredConfig(dir string) (Config, error) {
	path := filepath.Join(dir, "adapt.json")
	doc, err := os.ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	var stored struct {
		Config json.RawMessage `json:"config"`
	}
	if err := json.Unmarshal(doc, &stored); err != nil {
		return Config{}, fmt.Errorf("%s: %w: %w", path, ErrConfig, err)
	}
	cfg, err := ParseConfig(stored.Config) // JSON is YAML
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return cfg, nil
}

// HeadsConfig is DefaultConfig with the sizes that heads were made for, Objective.CodebookDim and Teacher.Codebooks: those of the
// model at path or, unless it is "", those in heads. It is for models whose recipe is not at hand, and reads no weights.
func HeadsConfig(path, heads string) (Config, error) {
	cfg := DefaultConfig()
	if _, err := os.Stat(path); err != nil {
		return Config{}, err
	}
	m, err := openHeads(Config{Base: path, Heads: heads})
	if err != nil {
		return Config{}, err
	}
	if m == nil {
		return Config{}, fmt.Errorf("%s: %w", path, ErrNoHeads)
	}
	defer m.Close()
	shape := func(name string) ([]int, error) {
		info, ok := checkpoint.Find(m, name)
		if !ok || len(info.Shape) != 2 || info.Shape[0] < 1 || info.Shape[1] < 1 {
			return nil, fmt.Errorf("%w: %s: heads: tensor %q: shape %v, want a matrix", checkpoint.ErrInvalid, m.Path(), name, info.Shape)
		}
		return info.Shape, nil
	}
	embeddings, err := shape(embeddingsName)
	if err != nil {
		return Config{}, err
	}
	projection, err := shape("final_proj.weight")
	if err != nil {
		return Config{}, err
	}
	cfg.Objective.CodebookDim = embeddings[1]
	cfg.Teacher.Codebooks = max(1, projection[0]/embeddings[1])
	return cfg, nil
}
