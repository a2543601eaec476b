// Package matrix is the table of a study of encoders: models by datasets, each cell the scores of one probe.
//
// A [Table] comes from [Build], which takes what probes found as a [Stored] cell each and adds the averages of the CultureMERT paper
// (arXiv 2506.17818) and the differences from one model; or from [Published], that paper's own. [Store] keeps cells in a folder, so that
// a study that was interrupted goes on with what is done. [WriteCSV], [WriteParquet], [WriteLaTeX] and [WritePage] write a table.
//
// [LogCQT] is a floor to hold encoders against: features that nobody had to learn. The other floor, an encoder of random weights, is its
// caller's to make.
//
// Scores are fractions in the table, CSV and Parquet, percentages in LaTeX and on the page, as in the paper.
package matrix
