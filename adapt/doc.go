// Package adapt continues the pre-training of an audio encoder on the music of one culture at a time,
// in stages that re-warm and re-decay the learning rate (CultureMERT, arXiv 2506.17818).
//
//	cfg, err := adapt.ParseConfig(yaml)          // what, on which audio, for how long
//	run, err := adapt.Open(ctx, cfg, nil)        // opens base, corpora and teacher; checks everything that can be checked
//	err = run.Train(ctx, "out/makam", adapt.Options{Report: show})
//
// The objective is MERT's (arXiv 2306.00107; the released code, facts in [Objective]): predict, at masked frames
// only, the codebook entries that a teacher gives the clean audio, and reconstruct its constant-Q spectrum.
//
// Where to look:
//
//   - [Config], [Stage], [Schedule]: the recipe. A learning rate is a pure function of the step. [HeadsWarmup]: a first stage for
//     fresh heads alone.
//   - [Corpus] and [Sampler]: which crop of which recording stands where in which batch. Every draw is a pure function
//     of (seed, stage, step), so a run can be taken up again at any step without a sampler state. CorpusConfig.Hours takes part of a
//     corpus, [Exclusion] keeps listed recordings out of it, and a crop that cannot be read is drawn anew where skip_bad says so.
//   - [Index], [PlanFor] and [Estimate]: what a run trains on and how long it will take, before it does.
//   - [Teacher] and [Targets]: constant-Q spectra, and codes of a residual k-means on them or tokens from files (adapt/tokens), computed
//     once a recording; or, as is usual with tokens, the spectrum of each crop as it is drawn.
//   - [Record], [Options] and [ErrDiverged]: a step whose loss or gradient is not finite is skipped and counted; after too many in a
//     row the run stops on the state before them (max_skipped in the recipe).
//   - States on disk: OUT.run holds the last few and those at stages' ends, each written atomically and complete: weights, heads,
//     moments and their step counts, the number of steps taken and skipped. Sampler and random state need nothing more than that
//     number. [Run.Train] resumes from any of them to the bytes of an undisturbed run, and a kill costs the steps since the last.
//   - [Opening] and [Group]: several processes that train one model; adapt/mpi joins them over MPI.
//   - [Model] and [Heads]: the encoder of adapt/mert with the heads that exist in pre-training only.
//   - [Heldout] and [Unigram]: how well a model predicts held-out audio, beside what the codes' frequencies alone give.
//   - [HeldoutConfig], [HeldoutRecord]: the same of the model that is being trained, every so many steps (adapt/summary draws the logs of a
//     run as a page, adapt/tensorboard writes them as event files).
//   - [Evaluation]: the same for any models on any corpora, as the verb `adapt eval` prints it: a score that needs no labels.
//
// Nothing here prints: progress goes to the callback of [Open], records of steps to that of [Options].
package adapt
