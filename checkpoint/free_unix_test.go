//go:build linux || darwin

package checkpoint

import (
	"path/filepath"
	"testing"
)

func TestFree(t *testing.T) {
	dir := t.TempDir()
	if n, ok := Free(dir); !ok || n <= 0 {
		t.Errorf("got %d, %v; want more than 0 bytes for the folder that this test writes to", n, ok)
	}
	if n, ok := Free(filepath.Join(dir, "nowhere")); ok || n != 0 {
		t.Errorf("a folder that is not there: got %d, %v", n, ok)
	}
}
