package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOverwrites(t *testing.T) {
	w := newWorkshop(t)
	w.must(os.MkdirAll("model/sub", 0o777))
	w.write("model/model.safetensors", "weights")
	w.write("data.csv", "rows")
	w.must(os.Symlink("model", "link"))
	full, err := filepath.Abs("model")
	w.must(err)
	for _, test := range []struct {
		name, out, in string
		want          bool
	}{
		{"the same name", "data.csv", "data.csv", true},
		{"spelt otherwise", "./model/../data.csv", "data.csv", true},
		{"absolute", full, "model", true},
		{"through a link", "link", "model", true},
		{"the folder of the input", "model", "model/model.safetensors", true},
		{"a file in the input", "model/model.safetensors", "model", true},
		{"a new file in the input", "model/new.json", "model", false},
		{"a new file beside the input", "other.csv", "data.csv", false},
		{"nothing there", "nowhere", "nowhere-else", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := overwrites(test.out, test.in); got != test.want {
				t.Errorf("overwrites(%q, %q) = %v, want %v", test.out, test.in, got, test.want)
			}
		})
	}
}

func TestOutputs(t *testing.T) {
	w := newWorkshop(t)
	w.model("model", narrow, 1)
	w.write("file.json", "{}")
	a, forced := &app{}, &app{force: true}
	for _, test := range []struct {
		name string
		err  error
		want error
	}{
		{"new file", a.fileOutput("new.json", "file.json"), nil},
		{"new file in a new folder", a.fileOutput("a/b/new.json"), nil},
		{"new model", a.modelOutput("new", "model"), nil},
		{"existing file", a.fileOutput("file.json"), fs.ErrExist},
		{"existing file with force", forced.fileOutput("file.json"), nil},
		{"existing model", a.modelOutput("model"), fs.ErrExist},
		{"existing model with force", forced.modelOutput("model"), nil},
		{"a model where a file belongs", forced.fileOutput("model"), fs.ErrExist},
		{"a file where a model belongs", forced.modelOutput("file.json"), fs.ErrExist},
		{"an input", forced.fileOutput("file.json", "model", "file.json"), errUsage},
		{"below a file", a.fileOutput("file.json/x.json"), errUsage},
	} {
		t.Run(test.name, func(t *testing.T) {
			if !errors.Is(test.err, test.want) || (test.err == nil) != (test.want == nil) {
				t.Errorf("got %v, want %v", test.err, test.want)
			}
		})
	}
}

func TestWritable(t *testing.T) {
	w := newWorkshop(t)
	w.write("file", "")
	before := w.contents()
	for _, path := range []string{"x", "a/b/c/x", "./x", "../x"} {
		if err := writable(path); err != nil {
			t.Errorf("writable(%q) = %v", path, err)
		}
	}
	w.unchanged(before)
	// No folder takes a file here, whoever runs the test: the name is longer than any system allows.
	long := strings.Repeat("long", 100)
	if err := writable(filepath.Join(long, "x")); err == nil || !strings.Contains(err.Error(), "cannot be made in "+long) {
		t.Errorf("writable below a name of 400 characters = %v", err)
	}
}
