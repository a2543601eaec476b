package main

import (
	"os"

	"syncretic/adapt/kernel"
)

// environmentText says in every verb's help what the environment changes.
const environmentText = `
Environment:
  ` + kernel.Variable + `  avx512, avx2, neon or portable: the kernels that encoders compute with (default: the best of this CPU)`

// checkEnvironment refuses values that the libraries would pass over.
func checkEnvironment() error {
	if _, err := kernel.Choose(os.Getenv(kernel.Variable)); err != nil {
		return usageError("%v", err)
	}
	return nil
}
