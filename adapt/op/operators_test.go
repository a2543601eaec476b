package op

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEveryOperatorIsChecked: each exported function that returns a tensor stands in checks, which finite differences,
// frozen operands and the rest go through. ScaleGrad does not, by definition: its gradient is not its derivative.
func TestEveryOperatorIsChecked(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var checked, operators []string
	for _, c := range checks() {
		name, _, _ := strings.Cut(c.name, "/")
		checked = append(checked, name)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !f.Name.IsExported() || f.Type.Results == nil {
				continue
			}
			result, ok := f.Type.Results.List[0].Type.(*ast.SelectorExpr)
			if ok && result.Sel.Name == "Tensor" {
				operators = append(operators, f.Name.Name)
			}
		}
	}
	if len(operators) < 15 {
		t.Fatalf("only %q are operators: the search finds too little", operators)
	}
	for _, name := range operators {
		if name != "ScaleGrad" && !slices.Contains(checked, name) {
			t.Errorf("%s is in no check", name)
		}
	}
}
