package probe

import (
	"errors"
	"io/fs"
	"testing"
)

// What OriginOf says ahead is what Extract then says, for any splits and options.
func TestOriginOf(t *testing.T) {
	ds, ex := crops(t, 4), &distinct{}
	half := cacheOptions(t.TempDir())
	half.Splits = []string{Valid, Test}
	for _, opts := range []ExtractOptions{{}, cacheOptions(t.TempDir()), half} {
		got, err := OriginOf(ds, opts)
		if err != nil {
			t.Fatal(err)
		}
		calls := ex.calls.Load()
		if want := mustExtract(t, ds, ex, opts).Origin; got.Key() != want.Key() {
			t.Errorf("origin %+v ahead, then %+v", got, want)
		}
		if calls == ex.calls.Load() {
			t.Error("Extract computed nothing: features were there before")
		}
	}
	if _, err := OriginOf(ds, ExtractOptions{Window: -1}); !errors.Is(err, ErrConfig) {
		t.Errorf("a window below 0: %v", err)
	}
	ds.Items[0].Path = "nowhere.wav"
	if _, err := OriginOf(ds, ExtractOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a recording that is not there: %v", err)
	}
}
