// Package sweep chooses the scaling coefficients lambda of a merge theta_0 + sum lambda_i tau_i against scores.
//
// A [Space] says what may be chosen: lambda for all vectors, for each, or for each group of layers; the merge method and its parameters.
// A [Study] keeps every trial in a database that Optuna reads as well, an SQLite file or PostgreSQL; any number of workers [Run] trials of
// one study at once, and may be stopped and started again at any time. Package sweep/search proposes points, sweep/fuse makes their
// models in memory (no file is written), and the caller's [Evaluate] scores them: this package knows neither encoders nor audio.
// [Rule.Select] and [SelectByLoss] pick the winner from validation scores only; [Test] scores it on held-out data, once.
//
//	setup := sweep.Setup{Space: space, Rule: sweep.Rule{Metric: sweep.ROCAUC, Rho: 0.98}, Seed: 1}
//	study, err := sweep.Open(ctx, "study.sqlite", sweep.DefaultName, setup)     // or postgres://host/database
//	worker := sweep.Worker{Models: models, Evaluate: evaluate, Name: "host:1"}
//	err = sweep.Run(ctx, study, worker)
//	winner, err := study.Select(ctx)
//	record, err := sweep.Test(ctx, study, worker, evaluateHeldOut)
//
// Beside the study NAME stand NAME/references, with one trial for the base and each other model that trials are compared with, and
// NAME/test. Package sweep/store is the database, sweep/report the HTML report, sweep/slurm the jobs of a cluster, and [ParseConfig] reads
// the YAML of `syncretic sweep run`.
//
// The protocol is that of task arithmetic (Ilharco et al., ICLR 2023, arXiv 2212.04089): a grid of 21 points over [0, 1] on
// validation data, scores over those of the single-task experts, the winner tested once. The constraint on the Western score is its
// control task for negation.
package sweep
