// Package sweep chooses the scaling coefficients lambda of a merge theta_0 + sum lambda_i tau_i against scores.
//
// A [Space] lists the points to try, an [Evaluate] function scores the merged model of one point (this package knows
// neither encoders nor audio), a [Study] keeps every trial in a SQLite file that Optuna reads as well, [Run] carries
// points to scores and may be stopped and started again at any time. [Rule.Select] and [SelectByLoss] pick the winner
// from validation scores only; [Test] scores that winner on held-out data, once.
//
//	setup := sweep.Setup{Space: space, Rule: sweep.Rule{Metric: sweep.ROCAUC, Rho: 0.98}, Seed: 1}
//	study, err := sweep.Open(ctx, "study.sqlite", setup)
//	err = sweep.Run(ctx, study, base, vectors, evaluate, nil)
//	trials, err := study.Trials(ctx)
//	winner, err := setup.Rule.Select(trials)
//
// No model is written for a trial: the model that Evaluate receives is a lazy [checkpoint.Source] which reads base and
// vectors where the encoder asks for weights. Package sweep/store is the database, sweep/report the HTML report, and
// [ParseConfig] reads the YAML of `syncretic sweep run`.
//
// The protocol is that of task arithmetic (Ilharco et al., ICLR 2023, arXiv 2212.04089): a grid of 21 points over [0, 1] on
// validation data, the winner tested once. The constraint on the Western score is its control task for negation.
package sweep
