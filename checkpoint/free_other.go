//go:build !linux && !darwin

package checkpoint

// Free is how many bytes the file system of an existing folder has left for this process's user; ok is false where the system
// does not say, or knows no bound.
func Free(string) (bytes int64, ok bool) { return 0, false }
