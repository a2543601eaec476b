// Package metric scores taggers as the field does, to scikit-learn's values, and says how sure the scores are.
//
// Start with [MultiLabel] for everything that `syncretic probe score` prints of a tagger, with [SingleLabel] and [Regression] for the
// other two tasks, with [ROCAUC], [AveragePrecision] or [F1] for one metric, and with [BestThreshold] for a threshold tuned on
// validation items.
//
// For one number's interval take [Bootstrap] or [BCa]; for the difference of two models on one test set [PairedBootstrap], its
// interval, and [PairedPermutation], its p-value; over several test sets correct the p-values by [Holm]. Items that are crops of one
// recording are drawn together: see [Sampling].
//
// # Tasks
//
// Auto-tagging: each item (a recording) has any number of tags out of a fixed list; a tagger gives every (item, tag)
// pair a score that rises with its belief in the tag. This is how MARBLE (Yuan et al. 2023, arXiv 2306.10548) and
// CultureMERT (arXiv 2506.17818) evaluate frozen music encoders. Single-label: each item has one class out of a list, as a genre.
// Regression: each item has some real numbers, as arousal and valence.
//
// # Conventions
//
// Scores are [items][tags] and labels are [items][tags], in one order of items and one of tags. Scores may be
// probabilities or logits for the ranking metrics; F1 compares them with a threshold in the same unit. Metrics are
// fractions in [0, 1], not percentages. A pair counts as predicted when score >= threshold.
//
//   - Per tag: the metric over the items, for each tag alone.
//   - Macro: the mean of the per-tag values, each tag weighing the same.
//   - Micro: the metric over all (item, tag) pairs as if they were one tag.
//
// # Absent classes
//
// Values are scikit-learn's wherever scikit-learn gives a number:
//
//   - ROC-AUC of a tag without positives or without negatives is undefined: NaN per tag, left out of the macro mean, and
//     counted in [Summary.LeftOut]. Unlike scikit-learn 1.9, which then returns NaN for the whole macro mean.
//   - Average precision of a tag without positives is 0 and counts in the macro mean; without negatives it is 1. None is
//     left out.
//   - F1 of a tag with neither positives nor predictions is 0 and counts in the macro mean (zero_division=0).
//
// Micro ROC-AUC is NaN when all pairs carry one label. NaN is null in JSON. Of single-label tasks, macro F1 is over the classes that
// are an item's or predicted, and the others are counted in [ClassF1.LeftOut].
//
// These are the deliberate differences; two more are in numbers that scikit-learn rounds. Scores are compared with a threshold in
// float64: numpy would round a threshold to the float32 of its scores first. And a regression target is constant where its values are
// equal, not where their distances from a rounded mean are 0.
//
// testdata/make_cases.py holds all of this to scikit-learn, within 1e-12, on 2,800 random cases.
//
// # Validation
//
// Every function that returns an error checks its input first, and the error wraps [ErrInvalid]: no items, no tags, ragged rows,
// different counts of scores and labels, scores that are NaN or infinite. Nothing here prints or holds state.
package metric
