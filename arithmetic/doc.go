// Package arithmetic adds, scales and subtracts the weights of models: task arithmetic.
//
// A task vector is what fine-tuning changed, and a merge moves the base along several of them:
//
//	τ_c = θ_c − θ_0                      [Sub]
//	θ   = θ_0 + Σ_c λ_c τ_c              [Add] of [Scale]d vectors, or [Combine] in one call
//
// With λ > 0 the model learns what c learned, with λ < 0 it forgets it; one λ a culture is what CultureMERT
// (Papaioannou et al. 2025, arXiv 2506.17818) sweeps. How much vectors work against each other shows before any merge
// in [Interference].
//
// Package taskvector stores vectors as files (dense, sparse or of low rank) and reads them.
//
// Every result is a lazy [checkpoint.Source]: nothing is computed until a range is read, a range costs a few blocks of
// memory whatever the model's size, and writing a merge or reading it into an encoder is the same code. Results are
// safe for concurrent reads, and valid as long as their inputs are.
//
// Numbers are float32, with one stated order: acc = θ_0, then for each vector as given acc = acc + (λ_c·τ_c), each
// product and each sum rounded to nearest even and never fused, on every machine. A vector with λ = 0 is not read at all,
// so that infinities in it do no harm, and a merge whose every λ is 0 is the base bit for bit.
//
// Unlike the code of the paper below, which prints a warning and goes on, tensors that are missing, extra or of another
// shape are an error. Integer tensors (position ids, counters) do not take part: they must be equal in tuned and base,
// and merges keep the base's.
//
// Parameters are added as they are stored. Where weight norm stores a weight as g·v/‖v‖ (the positional convolution of HuBERT and
// MERT: weight_g and weight_v, or parametrizations.weight.original0 and original1), g and v are each a parameter, as they are to the
// optimiser that tuned them, to mergekit and to the code of the paper. The weight that they make is not linear in them: of two
// merges it differs from the merge of the two weights by terms of second order in the task vectors. Who wants the latter folds the
// weight norm before the merge.
//
// Reference: Ilharco et al., Editing Models with Task Arithmetic, ICLR 2023, arXiv 2212.04089, section 2.
package arithmetic
