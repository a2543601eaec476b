// Package search says what a sweep may try, and proposes what to try next. It knows numbers only: no models, no scores by
// culture, no database.
//
//	space := search.Space{
//		{Name: "method", Choices: []string{"task_arithmetic", "ties"}},
//		{Name: "lambda", Low: 0, High: 1},
//		{Name: "density", Low: 0.1, High: 1, When: "method", Is: []string{"ties"}},
//	}
//	sampler, err := search.New(search.Config{Kind: search.TPE, Space: space, Directions: []search.Direction{search.Maximize}, Seed: 1})
//	proposal, err := sampler.Ask(history)   // history: every trial so far, of any worker
//
// A sampler keeps nothing between calls: what it proposes is a function of its configuration and of the history. So any worker of
// any machine can ask next, a study goes on after any interruption, and the same history gives the same proposal. (On one
// kind of processor: another may round the last bit otherwise.)
//
// [Halving] ends trials early that do badly on a part of their evaluation.
//
// # TPE against Optuna
//
// Medians over seeds of the best value found; the least possible is 0. 20 seeds, and 100 in one dimension, where a search
// either finds the best of several minima or does not. Optuna is 5.0.0's TPESampler as it is by default (multivariate); both
// start with 10 trials of their own. Other seeds give much the same: of 20 seeds from 10000 on (100 in one dimension), the
// median was above Optuna's in two cells, rosenbrock of 8 dimensions (42 against 37) and rastrigin of 1 (0.082 against 0.07), both within the
// noise of its median. The functions and the scripts are in functions_test.go and testdata.
//
//	function        dimensions  trials      ours    Optuna
//	sphere                   1      50   4.2e-06   0.00024
//	sphere                   2     100     9e-05    0.0026
//	sphere                   5     200    0.0011     0.067
//	sphere                   8     300      0.08      0.22
//	rosenbrock               1      50     0.024      0.15
//	rosenbrock               2     100      0.26      0.35
//	rosenbrock               5     200       3.8        10
//	rosenbrock               8     300        28        37
//	rastrigin                1      50     0.023      0.07
//	rastrigin                2     100       1.9       2.2
//	rastrigin                5     200        11        20
//	rastrigin                8     300        36        41
//	ackley                   1      50     0.081      0.77
//	ackley                   2     100      0.23       2.7
//	ackley                   5     200       1.1       4.6
//	ackley                   8     300       3.9       5.4
//	styblinski-tang          1      50   7.3e-05     0.003
//	styblinski-tang          2     100     0.002     0.043
//	styblinski-tang          5     200        14        15
//	styblinski-tang          8     300        29        32
//
// # CMA-ES against cmaes
//
// Medians of the best value over 20 seeds, of budgets of 60, 150, 500 and 1,000 trials in 1, 2, 5 and 8 dimensions: ours, and cmaes
// 0.13.1 (PyPI) with a sigma of a sixth of the range, as in Optuna, and of a quarter. Where ours is above Optuna's setting it is within noise:
// in rosenbrock of 5 and rastrigin of 1 dimension the 15th of cmaes' 20 values is 3.1 and 0.92. Some runs of both end in a wrong valley;
// with 1,000 seeds here and 300 there, rastrigin of 1 dimension has medians of 0.066, 0.39 and 0.16.
//
//	function         n     ours   cmaes 1/6   cmaes 1/4
//	sphere           1  1.6e-06     9.6e-06     9.6e-06
//	sphere           2  8.7e-07     1.9e-05     1.9e-05
//	sphere           5  6.6e-08       4e-06     5.3e-06
//	sphere           8    3e-09     3.8e-07     4.2e-07
//	rosenbrock       1      2.1           4           4
//	rosenbrock       2     0.12        0.34         0.2
//	rosenbrock       5     2.48        2.45        2.35
//	rosenbrock       8      4.1         5.2         5.3
//	rastrigin        1     0.29        0.05        0.56
//	rastrigin        2        1         1.6         1.9
//	rastrigin        5        5         9.1         5.4
//	rastrigin        8        7          11         9.8
//	ackley           1    0.039         0.3        0.24
//	ackley           2    0.034        0.15        0.13
//	ackley           5   0.0044       0.042       0.048
//	ackley           8  0.00043      0.0079      0.0083
//	styblinski-tang  1    2e-05      0.0001     0.00046
//	styblinski-tang  2  4.5e-05     0.00049     0.00025
//	styblinski-tang  5  2.5e-05         7.1      0.0055
//	styblinski-tang  8       14          14         7.1
//
// # NSGA-II against Optuna
//
// Median hypervolume over 20 seeds, 300 trials in 5 dimensions, up to the point (1.1, 4): ours, Optuna 5.0.0's sampler as it is by default,
// and with simulated binary crossover and polynomial mutation, as here. More is better.
//
//	function        ours   default   SBX
//	zdt1            3.45      3.11  3.33
//	zdt2            2.87      2.57  2.76
package search
