// Package probe measures a frozen encoder by auto-tagging, and by the other tasks of a [Split]: it extracts features, fits a small head on them and
// scores the head on recordings it has not seen.
//
// The path of a probe, in order (OpenConfig opens MagnaTagATune, FMA, Lyra and others as they lie on disk; see probe/dataset):
//
//	ds, err := probe.OpenDataset("makam", "makam.csv", probe.DatasetOptions{Top: 30})
//	feats, err := probe.Extract(ctx, ds, encoder, probe.ExtractOptions{Window: 5})
//	train, err := feats.Split(ds, probe.Train)           // likewise valid and test
//	eval, err := probe.FitAndScore(ctx, train, valid, test, probe.DefaultHead(), []uint64{1, 2, 3, 4, 5})
//
// An encoder is anything with [Extractor]'s one method. [Fit] trains one head, `mlp` (MARBLE's constrained protocol),
// `logistic` (convex, no seed) or `ridge` (closed form), and [FitSeeds] several seeds together; a [Fitted] head scores features and can
// be saved. [ParseConfig] reads the file of `syncretic probe fit`; [ReadScores], [ReadLabels], [ReadClasses], [ReadOutputs] and
// [ReadGroups] read the arrays of `syncretic probe score`. The metrics themselves are in probe/metric, what compares encoders without
// labels in probe/similarity, tables of several encoders in probe/matrix.
//
// One extraction serves many heads: with [ExtractOptions].Cache, [Features] are kept in safetensors files under the hash of all that
// decides them ([Origin]), several processes fill them together, and rows are read from the mapped files one by one, so that memory does
// not grow with the dataset. [Entries] and [RemoveEntry] list and free what is kept.
//
// No choice sees the test split. Fit takes the train and the valid split and nothing else, so epochs, learning rates, L2
// strengths and thresholds cannot depend on test items; a test split handed to it under the wrong name is an error; the tags of
// a Dataset are counted on train rows; standardisation uses train rows. FitAndScore scores the test split once for each seed,
// after Fit has returned.
//
// Conventions: audio is mono float32 at 24 kHz; features are float32 [rows][layers][dim], a row a window or an item, layer 0 being the encoder's
// input projection; scores and metrics are float64. Everything is deterministic for any GOMAXPROCS.
package probe

import "errors"

// ErrInvalid reports input that cannot be probed: a manifest that breaks a rule, a leak between splits, features that are
// not finite, arrays that do not fit each other.
var ErrInvalid = errors.New("invalid probe input")

// ErrConfig reports a configuration that cannot be used.
var ErrConfig = errors.New("invalid probe configuration")
