// Package op holds the differentiable operators of the encoder and its losses,
// each one function over a whole batch.
package op
