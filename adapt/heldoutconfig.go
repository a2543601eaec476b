package adapt

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"syncretic/adapt/audio"
)

// HeldoutConfig asks for the masked-prediction loss on held-out audio while a run goes on, so that what is learnt, and what of the
// base is forgotten, is seen while it happens. It changes no weights. Without Every nothing is measured.
type HeldoutConfig struct {
	Every   int            `yaml:"every,omitempty" json:"every,omitempty"`     // steps between two measurements; one more stands before the first step and after the last
	Split   string         `yaml:"split,omitempty" json:"split,omitempty"`     // rows of the recipe's corpora, replay ones too; "" means "valid" where a corpus has such rows
	Clips   int            `yaml:"clips,omitempty" json:"clips,omitempty"`     // of each corpus, at most; 0 means 50
	Corpora []CorpusConfig `yaml:"corpora,omitempty" json:"corpora,omitempty"` // further ones, as a Western set where nothing is replayed; a manifest without split means Split, a folder all of it
}

const (
	heldoutSplit = "valid" // where HeldoutConfig.Split is ""
	heldoutMost  = 50      // clips where HeldoutConfig.Clips is 0
)

func (h HeldoutConfig) validate(seen map[string]bool, check func(ok bool, format string, args ...any)) {
	asked := h.Split != "" || h.Clips != 0 || len(h.Corpora) > 0
	check(h.Every > 0 || h.Every == 0 && !asked, "heldout.every: got %d, want the steps between two measurements, at least 1", h.Every)
	check(h.Clips >= 0, "heldout.clips: got %d, want 0 (%d) or more", h.Clips, heldoutMost)
	names := map[string]bool{}
	for i, k := range h.Corpora {
		check(k.Name != "" && filepath.IsLocal(k.Name) && !strings.ContainsAny(k.Name, `/\`), "heldout.corpora[%d]: the name %q is no plain name: targets are kept under it", i, k.Name)
		check(!seen[k.Name] && !names[k.Name], "heldout.corpora[%d]: the name %q stands twice; the recipe's own corpora are measured without being named here", i, k.Name)
		check(k.Manifest != "", "heldout.corpora[%d] (%s): manifest is missing", i, k.Name)
		check(!k.Replay && k.Weight == 0, "heldout.corpora[%d] (%s): replay and weight are of corpora that are learnt from", i, k.Name)
		_, err := audio.ParseResampling(string(k.Resampler))
		check(err == nil, "heldout.corpora[%d] (%s): %v", i, k.Name, err)
		names[k.Name] = true
	}
}

// HeldoutCorpus says what is measured of one corpus while a run goes on.
type HeldoutCorpus struct {
	Name  string `json:"name"`
	Split string `json:"split"`
	Clips int    `json:"clips"`            // crops, one a recording
	Of    int    `json:"of"`               // recordings of the split that are as long as a crop
	Short int    `json:"short,omitempty"`  // recordings of the split that are not
	Set   string `json:"set,omitempty"`    // names the recordings: losses on two sets cannot be compared
	Out   string `json:"reason,omitempty"` // why the corpus is left out, "" where it is not
}

// heldoutCorpora lists the corpora to measure on, and those that are left out for having no rows of the default split.
func (c Config) heldoutCorpora() (take []CorpusConfig, out []HeldoutCorpus, err error) {
	h := c.Heldout
	split := h.Split
	if split == "" {
		split = heldoutSplit
	}
	for _, k := range c.Corpora {
		k.Split = split
		reason, err := lacks(k)
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("heldout: corpus %s: %w", k.Name, err)
		case reason != "" && h.Split != "":
			return nil, nil, fmt.Errorf("%w: heldout.split: corpus %s: %s", ErrConfig, k.Name, reason)
		case reason != "":
			out = append(out, HeldoutCorpus{Name: k.Name, Split: split, Out: reason})
		default:
			take = append(take, k)
		}
	}
	for i, k := range h.Corpora {
		switch {
		case k.Split == "" && isFolder(k.Manifest):
			k.Split = AllSplits
		case k.Split == "":
			k.Split = split
		}
		reason, err := lacks(k)
		if err != nil {
			return nil, nil, fmt.Errorf("heldout: corpus %s: %w", k.Name, err)
		}
		if reason != "" {
			return nil, nil, fmt.Errorf("%w: heldout.corpora[%d] (%s): %s; its key split names other rows, %q all", ErrConfig, i, k.Name, reason, AllSplits)
		}
		take = append(take, k)
	}
	if len(take) == 0 {
		return nil, nil, fmt.Errorf("%w: heldout: no corpus has rows of split %q: name rows by split, or corpora", ErrConfig, split)
	}
	return take, out, nil
}

// lacks says why a corpus has nothing of its split, "" when it has.
func lacks(k CorpusConfig) (string, error) {
	if k.Split == AllSplits {
		return "", nil // what is wrong with it, opening it says
	}
	if isFolder(k.Manifest) {
		return fmt.Sprintf("the folder %s has no splits", k.Manifest), nil
	}
	entries, err := audio.ReadManifest(k.Manifest)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if e.Split == k.Split {
			return "", nil
		}
	}
	return fmt.Sprintf("%s has no row of split %q", k.Manifest, k.Split), nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
