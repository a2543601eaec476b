package main

import (
	"slices"
	"testing"

	"syncretic/probe"
)

// TestRecordingsIn: crops of one file are one recording, whatever rows an item has.
func TestRecordingsIn(t *testing.T) {
	ds := &probe.Dataset{Items: []probe.Item{{Path: "a"}, {Path: "b"}, {Path: "a"}, {Path: "c"}}}
	split := probe.Split{Features: &probe.Features{Items: []int{0, 0, 2, 3, 3}}} // rows are windows
	if got, want := recordingsIn(ds, split), []int{0, 0, 1}; !slices.Equal(got, want) {
		t.Errorf("recordings %v, want %v", got, want)
	}
}

// TestWorkersWithCoresOfTheirOwn do not share them: a batch system has counted them already.
func TestWorkersWithCoresOfTheirOwn(t *testing.T) {
	s := &sweeping{app: &app{}, prober: &prober{}}
	t.Setenv("GOMAXPROCS", "")
	if s.worker(workOptions{}).Share == nil {
		t.Error("a worker that was given no cores shares none")
	}
	t.Setenv("GOMAXPROCS", "4")
	if s.worker(workOptions{}).Share != nil {
		t.Error("a worker under GOMAXPROCS shares its cores")
	}
	t.Setenv("GOMAXPROCS", "")
	s.app.threads = 2
	if s.worker(workOptions{}).Share != nil {
		t.Error("a worker under --threads shares its cores")
	}
}
