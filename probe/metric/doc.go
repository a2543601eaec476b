// Package metric scores multi-label taggers: ROC-AUC, average precision and F1, macro, micro and per tag, and a paired
// bootstrap over items that says whether two taggers differ.
//
// Start with [MultiLabel] for everything that `syncretic probe score` prints, with [ROCAUC], [AveragePrecision] or [F1]
// for one metric, with [BestThreshold] for a threshold tuned on validation items, and with [PairedBootstrap] for a
// difference with its interval.
//
// # Task
//
// Auto-tagging: each item (a recording) has any number of tags out of a fixed list; a tagger gives every (item, tag)
// pair a score that rises with its belief in the tag. This is how MARBLE (Yuan et al. 2023, arXiv 2306.10548) and
// CultureMERT (arXiv 2506.17818) evaluate frozen music encoders.
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
// Micro ROC-AUC is NaN when all pairs carry one label. NaN is null in JSON.
//
// # Validation
//
// Every function checks its input first and returns an error wrapping [ErrInvalid] for no items, no tags, ragged rows,
// different counts of scores and labels, and scores that are NaN or infinite. Nothing here prints or holds state.
package metric
