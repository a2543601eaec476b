package main

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// maxLines a file, unless it is generated: what one person can hold in mind.
const maxLines = 450

func TestFilesAreShort(t *testing.T) {
	files, _ := goFiles(t)
	for _, f := range files {
		if f.lines > maxLines && !f.generated() {
			t.Errorf("%s has %d lines, at most %d: split it by subject", f.path, f.lines, maxLines)
		}
	}
}

// TestPackagesIntroduceThemselves: one file of each package carries the comment that routes its reader.
func TestPackagesIntroduceThemselves(t *testing.T) {
	files, _ := goFiles(t)
	comments, mains := map[string][]string{}, map[string]bool{}
	for _, f := range files {
		if strings.HasSuffix(f.Name.Name, "_test") {
			continue
		}
		if comments[f.pkg] == nil {
			comments[f.pkg] = []string{}
		}
		mains[f.pkg] = f.Name.Name == "main"
		if doc := f.Doc.Text(); doc != "" {
			comments[f.pkg] = append(comments[f.pkg], doc)
			if want := "Package " + f.Name.Name + " "; f.Name.Name != "main" && !strings.HasPrefix(doc, want) {
				t.Errorf("%s: its package comment does not begin with %q", f.path, want)
			}
		}
	}
	for pkg, docs := range comments {
		switch {
		case len(docs) != 1:
			t.Errorf("%s has %d package comments, want 1", pkg, len(docs))
		case len(docs[0]) < 100:
			t.Errorf("%s: its package comment says too little to route a reader: %q", pkg, docs[0])
		}
	}
	if !mains["cmd/syncretic"] {
		t.Error("cmd/syncretic is not among the packages")
	}
}

// TestNothingHappensAtImport: a package that does something in init cannot be imported without it.
func TestNothingHappensAtImport(t *testing.T) {
	files, at := goFiles(t)
	for _, f := range files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: func init: construct what is needed where it is used", at(fn))
			}
		}
	}
}

// TestNoTestIsSkipped: a test that does not run proves nothing. What a machine may lack goes into a table of what it has.
func TestNoTestIsSkipped(t *testing.T) {
	files, at := goFiles(t)
	for _, f := range files {
		if !f.test {
			continue
		}
		calls(f, func(c *ast.CallExpr, on, name string) {
			if slices.Contains([]string{"t", "b", "f", "tb"}, on) && strings.HasPrefix(name, "Skip") || on == "testing" && name == "Short" {
				t.Errorf("%s: %s.%s: every test runs everywhere", at(c), on, name)
			}
		})
	}
}

// TestLibrariesAreSilent: only the command writes to the terminal and ends the process.
func TestLibrariesAreSilent(t *testing.T) {
	files, at := goFiles(t)
	for _, f := range files {
		if f.test || f.nested || f.pkg == "cmd/syncretic" && strings.HasSuffix(f.path, "/main.go") {
			continue
		}
		calls(f, func(c *ast.CallExpr, on, name string) {
			switch {
			case on == "fmt" && slices.Contains([]string{"Print", "Printf", "Println"}, name):
				t.Errorf("%s: fmt.%s: libraries report through callbacks; the command writes to the streams it was given", at(c), name)
			case on == "os" && name == "Exit":
				t.Errorf("%s: os.Exit: return an error; main ends the process", at(c))
			case on == "" && (name == "print" || name == "println"):
				t.Errorf("%s: %s is for debugging", at(c), name)
			}
		})
		ast.Inspect(f.File, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "os" && slices.Contains([]string{"Stdin", "Stdout", "Stderr"}, s.Sel.Name) {
					t.Errorf("%s: os.%s: take an io.Reader, an io.Writer or a callback", at(s), s.Sel.Name)
				}
			}
			return true
		})
	}
}

// TestNothingIsLeftForLater: what is unfinished is an issue, not a comment.
func TestNothingIsLeftForLater(t *testing.T) {
	files, at := goFiles(t)
	marks := []string{"TO" + "DO", "FIX" + "ME", "HA" + "CK"} // in pieces, or this file would hold them
	for _, f := range files {
		for _, group := range f.Comments {
			for _, mark := range marks {
				if strings.Contains(group.Text(), mark) {
					t.Errorf("%s: a comment says %s", at(group), mark)
				}
			}
		}
	}
}

// TestErrorsBeginInLowerCase: an error is joined to what stands before it, "file: tensor: ...".
func TestErrorsBeginInLowerCase(t *testing.T) {
	files, at := goFiles(t)
	for _, f := range files {
		if f.test {
			continue
		}
		calls(f, func(c *ast.CallExpr, on, name string) {
			if !(on == "errors" && name == "New" || on == "fmt" && name == "Errorf") || len(c.Args) == 0 {
				return
			}
			lit, ok := c.Args[0].(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING || len(lit.Value) < 4 {
				return
			}
			text := lit.Value[1 : len(lit.Value)-1]
			first, _, _ := strings.Cut(text, " ")
			if upper := text[0] >= 'A' && text[0] <= 'Z'; upper && first != strings.ToUpper(first) { // WAV, FLAC, YAML stay as they are
				t.Errorf("%s: an error begins with %q: want lower case", at(c), first)
			}
			if strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "...") || strings.HasSuffix(text, `\n`) {
				t.Errorf("%s: an error ends in a full stop or a new line: %s", at(c), lit.Value)
			}
		})
	}
}

// calls visits every call of a function or of a function of a package: on is the name before the dot, or "".
func calls(f goFile, visit func(c *ast.CallExpr, on, name string)) {
	ast.Inspect(f.File, func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch fn := c.Fun.(type) {
		case *ast.Ident:
			visit(c, "", fn.Name)
		case *ast.SelectorExpr:
			if x, ok := fn.X.(*ast.Ident); ok {
				visit(c, x.Name, fn.Sel.Name)
			}
		}
		return true
	})
}
