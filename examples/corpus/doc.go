// Package corpus synthesises small corpora.
package corpus
