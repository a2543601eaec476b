package examples

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// notebook is what the tests look at of nbformat 4.5, the format of Jupyter notebooks.
type notebook struct {
	Format int `json:"nbformat"`
	Minor  int `json:"nbformat_minor"`
	Cells  []struct {
		ID       string   `json:"id"`
		Type     string   `json:"cell_type"`
		Source   []string `json:"source"`
		Outputs  []any    `json:"outputs"`
		Count    *int     `json:"execution_count"`
		Metadata struct {
			Tags []string `json:"tags"`
		} `json:"metadata"`
	} `json:"cells"`
}

// notebooks reads every notebook, by path.
func notebooks(t *testing.T) map[string]notebook {
	t.Helper()
	paths, err := filepath.Glob("*/*.ipynb")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no notebooks (%v)", err)
	}
	books := map[string]notebook{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var book notebook
		if err := json.Unmarshal(text, &book); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		books[path] = book
	}
	return books
}

// TestNotebooksAreClean: nbformat 4.5 with an id for each cell, and nothing that an execution left behind, so that what is committed
// is what somebody wrote.
func TestNotebooksAreClean(t *testing.T) {
	legal := regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	for path, book := range notebooks(t) {
		if book.Format != 4 || book.Minor != 5 {
			t.Errorf("%s: nbformat %d.%d, want 4.5", path, book.Format, book.Minor)
		}
		seen := map[string]bool{}
		for _, c := range book.Cells {
			if !legal.MatchString(c.ID) || seen[c.ID] {
				t.Errorf("%s: cell id %q, want one of its own of letters, digits, - and _", path, c.ID)
			}
			seen[c.ID] = true
			if c.Type != "code" && c.Type != "markdown" {
				t.Errorf("%s: cell %s is of type %q", path, c.ID, c.Type)
			}
			if len(c.Outputs) > 0 || c.Count != nil {
				t.Errorf("%s: cell %s has outputs or a count: clear them before committing", path, c.ID)
			}
			if strings.TrimSpace(strings.Join(c.Source, "")) == "" {
				t.Errorf("%s: cell %s is empty", path, c.ID)
			}
		}
	}
}

// TestNotebooksTakeParameters: one cell has the tag that papermill looks for, before any other code, and assigns the folders.
func TestNotebooksTakeParameters(t *testing.T) {
	for path, book := range notebooks(t) {
		var tagged []string
		for i, c := range book.Cells {
			if !slices.Contains(c.Metadata.Tags, "parameters") {
				continue
			}
			tagged = append(tagged, strings.Join(c.Source, ""))
			for _, earlier := range book.Cells[:i] {
				if earlier.Type == "code" {
					t.Errorf("%s: cell %s comes before the parameters", path, earlier.ID)
				}
			}
		}
		if len(tagged) != 1 || !strings.HasPrefix(tagged[0], `demo = "`) || !strings.Contains(tagged[0], "\nout = \"") {
			t.Errorf("%s: cells tagged parameters: %q, want one that assigns demo and out", path, tagged)
		}
	}
}

// TestNotebookRequirementsArePinned: whatever the notebook imports is listed with its version, or comes with Python or the wheel.
func TestNotebookRequirementsArePinned(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("notebook", "requirements.txt"))
	if err != nil {
		t.Fatal(err)
	}
	pinned := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, version, ok := strings.Cut(line, "==")
		if !ok || version == "" {
			t.Errorf("requirements.txt: %q has no version", line)
		}
		pinned[name] = true
	}
	known := []string{"json", "warnings", "pathlib", "syncretic"}
	imports := regexp.MustCompile(`(?m)^(?:import|from) (\w+)`)
	found := 0
	for path, book := range notebooks(t) {
		for _, c := range book.Cells {
			if c.Type != "code" {
				continue
			}
			for _, m := range imports.FindAllStringSubmatch(strings.Join(c.Source, ""), -1) {
				found++
				if !pinned[m[1]] && !slices.Contains(known, m[1]) {
					t.Errorf("%s imports %s, which requirements.txt does not list", path, m[1])
				}
			}
		}
	}
	if found < 5 {
		t.Errorf("found %d imports: the pattern misses them", found)
	}
}
