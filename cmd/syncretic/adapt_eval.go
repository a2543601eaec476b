package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"syncretic/adapt"
	"syncretic/adapt/audio"
)

type adaptEvalOptions struct {
	recipe, teacher, tokens string
	heads                   string
	corpora                 []string
	split                   string
	seconds                 float64
	seed                    uint64
	resampler               string
	skip                    bool
	targets                 string
}

func newAdaptEval(a *app) *cobra.Command {
	var o adaptEvalOptions
	cmd := &cobra.Command{
		Use:   "eval MODEL... CORPUS",
		Short: "Score models without labels: masked-prediction loss on a culture's audio",
		Long: "Measure how well models predict masked frames of held-out audio: the cross-entropy of the teacher's codes, in nats a frame\n" +
			"summed over codebooks, how often the likeliest code is right, and the squared error of the constant-Q spectrum; the loss is\n" +
			"cross-entropy plus error, and lower is better. One crop is taken of each recording, its place and masks drawn from --seed, so\n" +
			"every model sees the same. Compare models under one teacher only: another teacher asks other questions.\n\n" +
			"MODEL is a directory that adapt wrote, with its heads, or any model with --heads. CORPUS is the name of one in the recipe, a\n" +
			"manifest, or a folder of audio; --corpus adds further ones. Teacher and masks are those of --recipe, or of --teacher with the\n" +
			"defaults of a recipe; without either, those of the recipe kept in the first MODEL that has one, paths as they were then.\n" +
			"The teacher's targets of new audio are cached, beside the teacher unless recipe or --targets say where.",
		Example: "  syncretic adapt eval out/makam makam.csv\n" +
			"  syncretic adapt eval out/makam out/merged makam.csv --corpus carnatic.csv --recipe adapt.yml --heads out/makam",
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			last := len(args) - 1
			o.corpora = append(args[last:], o.corpora...)
			return runAdaptEval(cmd.Context(), a, o, cmd.Flags().Changed, args[:last])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.recipe, "recipe", "", "the recipe whose teacher, masks and length of crops are used")
	f.StringVar(&o.teacher, "teacher", "", "the teacher's directory, in place of the recipe's")
	f.StringVar(&o.tokens, "tokens", "", "the codes to predict, as the tokens verb wrote them, in place of the recipe's or the teacher's own")
	f.StringVar(&o.heads, "heads", "", "pre-training heads for every MODEL, in place of its own: a model directory, a heads.safetensors or a training checkpoint")
	f.StringArrayVar(&o.corpora, "corpus", nil, "a further corpus; can be given several times")
	f.StringVar(&o.split, "split", "valid", "rows of manifests to take; all takes every row, as always of a folder")
	f.Float64Var(&o.seconds, "seconds", 0, "length of a crop (default: the recipe's batch.seconds, or 5)")
	f.Uint64Var(&o.seed, "seed", 0, "of the crops' places and the masks")
	f.StringVar(&o.resampler, "resampler", string(audio.Kaiser), "how files at another rate come to 24 kHz: kaiser or torchaudio (default in a recipe's corpus: its own)")
	f.BoolVar(&o.skip, "skip-bad", false, "leave out files that cannot be read, and name them, instead of failing")
	f.StringVar(&o.targets, "targets", "", "the folder for cached targets, in place of the recipe's or the teacher's")
	return cmd
}

// evalScore is one model on one corpus.
type evalScore struct {
	Model       string `json:"model"`
	ModelSHA256 string `json:"model_sha256"`
	Heads       string `json:"heads"`
	HeadsSHA256 string `json:"heads_sha256"`
	Corpus      string `json:"corpus"`
	adapt.Score
}

// evalCorpus says what a corpus is.
type evalCorpus struct {
	Name     string `json:"name"`
	Path     string `json:"path"`
	Split    string `json:"split"`
	SHA256   string `json:"sha256"`
	Tokens   string `json:"tokens_sha256,omitempty"`
	Clips    int    `json:"clips"`
	Short    int    `json:"shorter_than_a_crop"`
	resolved adapt.CorpusConfig
}

func runAdaptEval(ctx context.Context, a *app, o adaptEvalOptions, changed func(flag string) bool, models []string) error {
	switch {
	case changed("seconds") && !(o.seconds > 0 && o.seconds <= 3600):
		return usageError("--seconds %g: want more than 0 and at most 3600", o.seconds)
	case o.split == "":
		return usageError("--split is empty; all takes every row")
	case o.heads == "fresh":
		return usageError("--heads fresh: heads that have learnt nothing measure nothing; name heads that adapt wrote")
	}
	if _, err := audio.ParseResampling(o.resampler); err != nil {
		return usageError("--resampler: %v", err)
	}
	for i, m := range models {
		if slices.Contains(models[:i], m) {
			return usageError("%s is given twice", m)
		}
	}
	recipe, err := evalRecipe(o, models)
	if err != nil {
		return err
	}
	corpora, err := evalCorpora(o, changed, recipe)
	if err != nil {
		return err
	}
	var list []adapt.CorpusConfig
	for _, c := range corpora {
		list = append(list, c.resolved)
	}
	cfg := recipe.Eval(list, o.seed)
	if changed("seconds") {
		cfg.Seconds = o.seconds
	}
	if o.targets != "" {
		cfg.Targets = o.targets
	}
	bars := map[string]*progress{}
	e, err := adapt.OpenEvaluation(ctx, cfg, func(what string, done, total int) {
		if bars[what] == nil {
			bars[what] = a.progress(what)
		}
		bars[what].set(done, total, "")
	})
	if err != nil {
		return err
	}
	defer e.Close()
	for i, c := range e.Corpora() {
		corpora[i].SHA256, corpora[i].Tokens, corpora[i].Clips, corpora[i].Short = c.Hash, c.Tokens, c.Clips, c.Short
	}
	var scores []evalScore
	for _, path := range models {
		measured, err := evalModel(ctx, a, e, path, o.heads)
		if err != nil {
			return err
		}
		scores = append(scores, measured...)
	}
	for i := range scores {
		scores[i].Corpus = corpora[i%len(corpora)].Name
	}
	teacher := map[string]any{"path": cfg.Teacher.Path, "sha256": e.TeacherHash(), "spectrum": e.Teacher().SpectrumFrom()}
	if cfg.Teacher.Tokens != "" {
		teacher["tokens"] = cfg.Teacher.Tokens
	}
	skipped, asked := e.Skipped(), cfg.Objective
	masks := map[string]any{"mask_prob": asked.MaskProb, "mask_length": asked.MaskLength, "min_masks": asked.MinMasks, "temperature": asked.Temperature}
	return a.result(map[string]any{"scores": scores, "corpora": corpora, "teacher": teacher, "objective": masks, "seconds": cfg.Seconds,
		"seed": cfg.Seed, "skipped": skippedJSON(skipped), "version": version()}, skippedLines(skipped)+shortLines(corpora, cfg.Seconds)+evalText(scores, len(models)))
}

// evalRecipe is the recipe that says what is asked of the models, with what the flags replace in it.
func evalRecipe(o adaptEvalOptions, models []string) (adapt.Config, error) {
	cfg, err := namedRecipe(o, models)
	if err != nil {
		return adapt.Config{}, err
	}
	if o.teacher != "" {
		cfg.Teacher.Path = o.teacher
	}
	if o.tokens != "" {
		standard := adapt.DefaultTeacher()
		cfg.Teacher.Tokens, cfg.Teacher.Size = o.tokens, standard.Size // tokens say their size themselves
	}
	return cfg, nil
}

func namedRecipe(o adaptEvalOptions, models []string) (adapt.Config, error) {
	if o.recipe != "" {
		doc, err := os.ReadFile(o.recipe)
		if err != nil {
			return adapt.Config{}, err
		}
		cfg, err := adapt.ParseConfig(doc)
		if err != nil {
			return adapt.Config{}, fmt.Errorf("%s: %w", o.recipe, err)
		}
		return cfg, nil
	}
	if o.teacher != "" {
		return adapt.HeadsConfig(models[0], o.heads)
	}
	for _, m := range models {
		if _, err := os.Stat(m); err != nil {
			return adapt.Config{}, err
		}
		cfg, err := adapt.StoredConfig(m)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // adapt did not write it
			continue
		}
		return cfg, err
	}
	return adapt.Config{}, usageError("no MODEL holds a recipe (adapt.json) that names its teacher; give --recipe or --teacher")
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// evalCorpora finds the corpora that are named: those of the recipe by their names, others by their paths.
func evalCorpora(o adaptEvalOptions, changed func(flag string) bool, recipe adapt.Config) ([]evalCorpus, error) {
	var all []evalCorpus
	for i, given := range o.corpora {
		if slices.Contains(o.corpora[:i], given) {
			return nil, usageError("%s is given twice", given)
		}
		k := adapt.CorpusConfig{Name: corpusName(given), Manifest: given, Resampler: audio.Resampling(o.resampler)}
		if at := slices.IndexFunc(recipe.Corpora, func(c adapt.CorpusConfig) bool { return c.Name == given }); at >= 0 {
			k = recipe.Corpora[at]
			if changed("resampler") {
				k.Resampler = audio.Resampling(o.resampler)
			}
		}
		k.SkipBad = k.SkipBad || o.skip
		k.Split = o.split
		split := o.split
		if isFolder(k.Manifest) {
			if changed("split") && o.split != "all" {
				return nil, usageError("--split %s: the folder %s has no splits; leave the flag out or name a manifest", o.split, k.Manifest)
			}
			split = "all"
		}
		if split == "all" {
			k.Split = adapt.AllSplits
		}
		name := k.Name
		if slices.ContainsFunc(all, func(c evalCorpus) bool { return c.Name == name }) {
			name = given // two of one name are told apart by their paths
		}
		all = append(all, evalCorpus{Name: name, Path: k.Manifest, Split: split, resolved: k})
	}
	return all, nil
}

// corpusName is a manifest's or folder's name without its ending.
func corpusName(path string) string {
	base := filepath.Base(filepath.Clean(path))
	if name := strings.TrimSuffix(base, filepath.Ext(base)); filepath.IsLocal(name) && name != "." {
		return name
	}
	return "corpus"
}

// evalModel measures one model on all corpora; it is in memory only as long.
func evalModel(ctx context.Context, a *app, e *adapt.Evaluation, path, heads string) ([]evalScore, error) {
	m, err := e.Open(path, heads)
	if err != nil {
		return nil, err
	}
	leanHeap()
	bar := a.progress(path)
	defer bar.stop()
	measured, err := e.Measure(ctx, m.Model, func(done, total int) { bar.set(done, total, "") })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var scores []evalScore
	for _, s := range measured {
		scores = append(scores, evalScore{Model: path, ModelSHA256: m.Hash, Heads: m.HeadsPath, HeadsSHA256: m.HeadsSHA256, Score: s})
	}
	return scores, nil
}

// shortLines says how many recordings no crop fits into.
func shortLines(corpora []evalCorpus, seconds float64) string {
	var b strings.Builder
	for _, c := range corpora {
		if c.Short > 0 {
			fmt.Fprintf(&b, "%s: %d of %d recordings left out, shorter than a crop of %g s\n", c.Name, c.Short, c.Short+c.Clips, seconds)
		}
	}
	return b.String()
}

// evalText is one line a corpus for one model, a table for several.
func evalText(scores []evalScore, models int) string {
	var b strings.Builder
	if models == 1 {
		for _, s := range scores {
			fmt.Fprintf(&b, "%s on %s: loss %.3f (cross-entropy %.3f nats a frame, cqt %.3f), accuracy %.1f %%, %d masked frames of %d clips\n",
				s.Model, s.Corpus, s.Total, s.CE, s.CQT, 100*mean(s.Accuracy), s.Frames, s.Clips)
		}
		return b.String()
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "model\tcorpus\tloss\tcross-entropy\tcqt\taccuracy\tframes\tclips")
	for _, s := range scores {
		fmt.Fprintf(w, "%s\t%s\t%.3f\t%.3f\t%.3f\t%.1f %%\t%d\t%d\n", s.Model, s.Corpus, s.Total, s.CE, s.CQT, 100*mean(s.Accuracy), s.Frames, s.Clips)
	}
	w.Flush()
	return b.String()
}

// mean is NaN of nothing.
func mean(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
