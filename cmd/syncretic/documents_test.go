package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// documents hold command lines that people copy: recipes, notebooks, and what stands at the repository's root and in .github.
func documents(t *testing.T) map[string]string {
	t.Helper()
	docs := map[string]string{}
	for _, pattern := range []string{"README.md", ".github/*.md", "examples/*/*.yml", "examples/*/*.sh", "examples/*/*.md", "examples/*/*.ipynb"} {
		paths, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: no such file (%v)", pattern, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			rel, err := filepath.Rel(root, path)
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Ext(path) == ".ipynb" {
				text = notebookText(t, rel, text)
			}
			docs[filepath.ToSlash(rel)] = string(text)
		}
	}
	return docs
}

// notebookText is the text of a notebook's cells.
func notebookText(t *testing.T, path string, document []byte) []byte {
	t.Helper()
	var book struct{ Cells []struct{ Source []string } }
	if err := json.Unmarshal(document, &book); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var text []byte
	for _, c := range book.Cells {
		text = append(append(text, strings.Join(c.Source, "")...), "\n\n"...)
	}
	return text
}

// commandLine finds an indented command, after a comment mark if there is one, up to a comment of its own.
var commandLine = regexp.MustCompile(`(?m)^(?:#? {2,})(?:go run \./cmd/)?syncretic ([^#\n]+)`)

// TestDocumentedCommandsExist holds every command line in a document against the verbs, their arguments and their flags.
func TestDocumentedCommandsExist(t *testing.T) {
	found := 0
	for path, text := range documents(t) {
		for _, m := range commandLine.FindAllStringSubmatch(text, -1) {
			found++
			if err := understand(strings.Fields(m[1])); err != nil {
				t.Errorf("%s: syncretic %s: %v", path, m[1], err)
			}
		}
	}
	if found < 10 {
		t.Errorf("found %d command lines, want at least 10: the pattern misses them", found)
	}
}

// pythonCall finds a call of the Python package's run, whose parentheses may hold others one deep.
var pythonCall = regexp.MustCompile(`syncretic\.run\(((?:[^()]|\([^()]*\))*)\)`)

// TestDocumentedCallsExist does the same for calls from Python.
func TestDocumentedCallsExist(t *testing.T) {
	found := 0
	for path, text := range documents(t) {
		for _, m := range pythonCall.FindAllStringSubmatch(text, -1) {
			found++
			if err := understand(pythonWords(m[1])); err != nil {
				t.Errorf("%s: syncretic.run(%s): %v", path, m[1], err)
			}
		}
	}
	if found < 10 {
		t.Errorf("found %d calls, want at least 10: the pattern misses them", found)
	}
}

// pythonWords are the words of the command line that a call stands for: strings as they are, keywords as flags, anything else as a
// path.
func pythonWords(arguments string) []string {
	keyword := regexp.MustCompile(`^(\w+)=(.*)$`)
	text := regexp.MustCompile(`^"([^"]*)"$`)
	value := func(expression string) string {
		if m := text.FindStringSubmatch(expression); m != nil {
			return m[1]
		}
		if _, err := strconv.ParseFloat(expression, 64); err == nil {
			return expression
		}
		return "path"
	}
	var words []string
	for _, argument := range topLevel(arguments) {
		m := keyword.FindStringSubmatch(argument)
		switch {
		case m == nil:
			words = append(words, value(argument))
		case m[2] == "True":
			words = append(words, "--"+strings.ReplaceAll(m[1], "_", "-"))
		default:
			words = append(words, "--"+strings.ReplaceAll(m[1], "_", "-"), value(m[2]))
		}
	}
	return words
}

// topLevel splits at commas outside of parentheses.
func topLevel(text string) (parts []string) {
	depth, from := 0, 0
	for i, r := range text + "," {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == ',' && depth == 0:
			parts = append(parts, strings.TrimSpace(text[from:i]))
			from = i + 1
		}
	}
	return parts
}

func TestPythonWords(t *testing.T) {
	for call, want := range map[string]string{
		`"version"`: "version",
		`"compare", demo / "base", *(demo / c for c in cultures)`:          "compare path path",
		`"sweep", "submit", config, workers=8, time="12:00", dry_run=True`: "sweep submit path --workers 8 --time 12:00 --dry-run",
	} {
		if got := strings.Join(pythonWords(call), " "); got != want {
			t.Errorf("%s: got %q, want %q", call, got, want)
		}
	}
}

// TestHelpExamplesExist does the same for the examples in every verb's help.
func TestHelpExamplesExist(t *testing.T) {
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		if c.Runnable() && !c.HasSubCommands() && c.Example == "" && c.Name() != "version" {
			t.Errorf("%s: its help has no example", c.CommandPath())
		}
		for _, m := range commandLine.FindAllStringSubmatch(c.Example, -1) {
			if err := understand(strings.Fields(m[1])); err != nil {
				t.Errorf("the help of %s: syncretic %s: %v", c.CommandPath(), m[1], err)
			}
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(newRoot(&app{stdout: io.Discard, stderr: io.Discard}))
}

// understand reads a command line as the tool would, without running it.
func understand(words []string) error {
	tree := newRoot(&app{stdout: io.Discard, stderr: io.Discard})
	c, rest, err := tree.Find(words)
	if err != nil {
		return err
	}
	c.SetContext(context.Background())
	if err := c.ParseFlags(rest); err != nil {
		return err
	}
	if err := c.ValidateArgs(c.Flags().Args()); err != nil {
		return err
	}
	return c.ValidateRequiredFlags()
}

func TestUnderstand(t *testing.T) {
	for _, test := range []struct {
		line string
		ok   bool
	}{
		{"version", true},
		{"adapt a.yml out --resume", true},
		{"adapt a.yml", false},
		{"adapt a.yml out --resum", false},
		{"adopt a.yml out", false},
		{"sweep walk a.yml", false},
	} {
		if err := understand(strings.Fields(test.line)); (err == nil) != test.ok {
			t.Errorf("%q: got %v, want ok %v", test.line, err, test.ok)
		}
	}
}

// TestDocumentsNameExistingFiles: a path of this repository that a document names is there.
func TestDocumentsNameExistingFiles(t *testing.T) {
	path := regexp.MustCompile(`\b(?:examples|cmd|adapt|checkpoint|arithmetic|probe|sweep)/[\w./-]*\w\.(?:yml|go|sh|py|md)\b`)
	for doc, text := range documents(t) {
		for _, name := range path.FindAllString(text, -1) {
			if strings.HasPrefix(name, "examples/") && strings.Contains(name, "/out/") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err != nil {
				t.Errorf("%s names %s: %v", doc, name, err)
			}
		}
	}
}

// TestDocumentsStayAtHome: no path of somebody's machine.
func TestDocumentsStayAtHome(t *testing.T) {
	home := regexp.MustCompile(`(?:^|[\s"'=(])(/(?:home|root|Users|work|tmp|mnt|data)/\S*)`)
	for doc, text := range documents(t) {
		for _, m := range home.FindAllStringSubmatch(text, -1) {
			t.Errorf("%s names %s", doc, m[1])
		}
	}
}
