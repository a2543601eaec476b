package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// root is the repository as the tests of this package see it.
const root = "../.."

// goFile is one parsed source file of the repository.
type goFile struct {
	path   string // from the repository's root, with slashes
	pkg    string // import path of its folder below the module; "syncretic" itself has no Go files
	nested bool   // part of a module of its own, as the kernels' generators are
	test   bool
	lines  int
	*ast.File
}

func (f goFile) generated() bool { return ast.IsGenerated(f.File) }

// goFiles parses every Go file of the repository, whatever its build constraints, so that one machine checks all of them.
// at gives a position as path:line.
func goFiles(t *testing.T) (files []goFile, at func(ast.Node) string) {
	t.Helper()
	set := token.NewFileSet()
	nested := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "out") {
				return filepath.SkipDir
			}
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil && path != root || nested[filepath.Dir(path)] {
				nested[path] = true
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		parsed, err := parser.ParseFile(set, rel, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir, _, _ := strings.Cut(rel, "/"+name)
		files = append(files, goFile{path: rel, pkg: dir, nested: nested[filepath.Dir(path)], test: strings.HasSuffix(name, "_test.go"),
			lines: strings.Count(string(text), "\n"), File: parsed})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 300 {
		t.Fatalf("found %d Go files below %s: too few to be the repository", len(files), root)
	}
	return files, func(n ast.Node) string {
		p := set.Position(n.Pos())
		p.Column = 0
		return p.String()
	}
}
