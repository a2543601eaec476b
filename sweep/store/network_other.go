//go:build !linux

package store

// OnNetworkFileSystem is known on Linux alone: elsewhere it is false.
func OnNetworkFileSystem(string) bool { return false }
