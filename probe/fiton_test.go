package probe_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"syncretic/probe"
)

// FitOn is Extract, Split and Fit in one call; without train or valid among the splits it says what is missing.
func TestFitOn(t *testing.T) {
	manifest, err := corpus(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ds, err := probe.OpenDataset("tones", manifest, probe.DatasetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	head := probe.DefaultHead()
	head.Kind = probe.Logistic
	ctx := context.Background()
	got, features, err := probe.FitOn(ctx, ds, loudness{}, probe.ExtractOptions{Splits: []string{probe.Train, probe.Valid}}, head)
	if err != nil {
		t.Fatal(err)
	}
	if want := len(ds.Indices(probe.Train)) + len(ds.Indices(probe.Valid)); len(features.Items) != want {
		t.Errorf("features of %d items, want %d", len(features.Items), want)
	}
	train, err := features.Split(ds, probe.Train)
	if err != nil {
		t.Fatal(err)
	}
	valid, err := features.Split(ds, probe.Valid)
	if err != nil {
		t.Fatal(err)
	}
	want, err := probe.Fit(ctx, train, valid, head)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Chosen, want.Chosen) || !reflect.DeepEqual(got.Valid, want.Valid) {
		t.Errorf("got %+v, want %+v", got.Chosen, want.Chosen)
	}
	for _, split := range []string{probe.Train, probe.Valid, probe.Test} {
		if _, _, err := probe.FitOn(ctx, ds, loudness{}, probe.ExtractOptions{Splits: []string{split}}, head); !errors.Is(err, probe.ErrInvalid) {
			t.Errorf("%s alone: got %v, want ErrInvalid", split, err)
		}
	}
}
