package probe

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestSavedHeadIsTheSameForAnyGOMAXPROCS compares the files of heads that were fitted with 1 and with 3 threads, with batches
// large enough that the operators divide their work.
func TestSavedHeadIsTheSameForAnyGOMAXPROCS(t *testing.T) {
	train, valid, _ := wide(9, 150, 40, 4, 48, 6)
	mlp := DefaultHead()
	mlp.Epochs, mlp.Seed = 3, 11
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	ridge := logisticHead(1, 30)
	ridge.Kind = Ridge
	for _, cfg := range []HeadConfig{mlp, logisticHead(1, 30), ridge} {
		files := map[string][]byte{}
		for _, threads := range []int{1, 3} {
			runtime.GOMAXPROCS(threads)
			head, err := Fit(context.Background(), train, valid, cfg)
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "head")
			if err := head.Save(context.Background(), dir, false); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"model.safetensors", headFile} {
				data, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				if first, ok := files[name]; ok && string(first) != string(data) {
					t.Errorf("%s: %s differs between 1 and %d threads", cfg.Kind, name, threads)
				}
				files[name] = data
			}
		}
		var doc savedHead
		if err := json.Unmarshal(files[headFile], &doc); err != nil || doc.Config.Kind != cfg.Kind || len(doc.Tags) != 6 {
			t.Errorf("%s: head.json %+v, %v", cfg.Kind, doc, err)
		}
	}
}

// TestDefaultsAreUsable checks both kinds, and that the zero value is not taken for a configuration.
func TestDefaultsAreUsable(t *testing.T) {
	cfg := DefaultHead()
	for _, kind := range []string{MLP, Logistic} {
		if cfg.Kind = kind; cfg.Validate() != nil {
			t.Errorf("%s: %v", kind, cfg.Validate())
		}
	}
	if (HeadConfig{}).Validate() == nil || (HeadConfig{Kind: MLP}).Validate() == nil || (HeadConfig{Kind: Logistic}).Validate() == nil {
		t.Error("a zero value was accepted")
	}
	if got := DefaultHead(); got.Hidden != 512 || got.Dropout != 0.2 || len(got.LR) != 1 || got.LR[0] != 1e-3 || got.Batch != 64 || got.Epochs != 100 || got.Patience != 3 || got.Stop != 10 {
		t.Errorf("%+v, want MARBLE's constrained probe", got)
	}
}
