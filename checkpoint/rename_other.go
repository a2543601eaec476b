//go:build !linux

package checkpoint

func renameNew(from, to string) error { return renameChecked(from, to) }

func exchange(a, b string) error { return exchangeSteps(a, b) }
