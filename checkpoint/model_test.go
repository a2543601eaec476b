package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestCloseEndsReading(t *testing.T) {
	m := open(t, "testdata/mixed.safetensors")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			dst := make([]float32, 12)
			for {
				if err := m.Read("encoder.weight", 0, dst); err != nil {
					if !errors.Is(err, fs.ErrClosed) {
						t.Errorf("read while closing: %v", err)
					}
					return
				}
			}
		})
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if err := m.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := m.Raw("scalar"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Raw after Close: %v, want fs.ErrClosed", err)
	}
}

// A file that is cut short while it is mapped gives errors, not the end of the process.
func TestTruncatedWhileMapped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := Write(t.Context(), path, large(t), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	m := open(t, path)
	if len(m.release) == 0 {
		t.Fatal("nothing is mapped")
	}
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	if err := m.Read("big", 2*blockElements, make([]float32, 1000)); !errors.Is(err, ErrInvalid) && mapped {
		t.Errorf("Read: %v, want ErrInvalid", err)
	}
	if _, err := Hash(m); !errors.Is(err, ErrInvalid) && mapped {
		t.Errorf("Hash: %v, want ErrInvalid", err)
	}
	out := filepath.Join(t.TempDir(), "copy")
	if err := Write(t.Context(), out, m, WriteOptions{}); err == nil && mapped {
		t.Error("Write copied what is not there")
	}
	if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a partial copy was left: %v", err)
	}
	if err := Write(t.Context(), out, m, WriteOptions{DType: BF16}); !errors.Is(err, ErrInvalid) && mapped {
		t.Errorf("Write as BF16: %v, want ErrInvalid", err)
	}
}

func TestMetadataIsACopy(t *testing.T) {
	m := open(t, "testdata/mixed.safetensors")
	m.Metadata()["note"] = "changed"
	if m.Metadata()["note"] == "changed" {
		t.Error("changing the returned metadata changed the model's")
	}
}
