package probe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writeColumn writes float64 values as an .npy file of a shape.
func writeColumn(t *testing.T, shape string, values ...float64) string {
	t.Helper()
	header := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': %s, }\n", shape)
	doc := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), 0)
	doc = append(doc, header...)
	for _, v := range values {
		doc = binary.LittleEndian.AppendUint64(doc, math.Float64bits(v))
	}
	path := filepath.Join(t.TempDir(), "column.npy")
	if err := os.WriteFile(path, doc, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadColumns(t *testing.T) {
	for shape, values := range map[string][]float64{"(3,)": {2, 0, 1}, "(3, 1)": {2, 0, 1}, "(3, 3)": {0, 0, 1, 1, 0, 0, 0, 1, 0}} {
		got, err := ReadClasses(writeColumn(t, shape, values...))
		if err != nil || !slices.Equal(got, []int{2, 0, 1}) {
			t.Errorf("classes of shape %s: %v, %v, want 2 0 1", shape, got, err)
		}
	}
	if got, err := ReadGroups(writeColumn(t, "(2,)", -7, 1<<40)); err != nil || !slices.Equal(got, []int{-7, 1 << 40}) {
		t.Errorf("groups %v, %v", got, err)
	}
	if got, err := ReadOutputs(writeColumn(t, "(2,)", 0.5, -1)); err != nil || len(got) != 2 || got[1][0] != -1 {
		t.Errorf("outputs %v, %v", got, err)
	}
}

func TestReadColumnsRefuses(t *testing.T) {
	classes := func(path string) error { _, err := ReadClasses(path); return err }
	groups := func(path string) error { _, err := ReadGroups(path); return err }
	for _, c := range []struct {
		name, shape, want string
		read              func(path string) error
		values            []float64
	}{
		{"half a class", "(2,)", "item 1: class is 0.5", classes, []float64{0, 0.5}},
		{"negative class", "(1,)", "item 0: class is -1", classes, []float64{-1}},
		{"class NaN", "(1,)", "class is NaN", classes, []float64{math.NaN()}},
		{"two classes", "(1, 2)", "item 0: classes 0 and 1, want one", classes, []float64{1, 1}},
		{"no class", "(1, 2)", "item 0 has no class", classes, []float64{0, 0}},
		{"empty", "(0,)", "want two dimensions from 1", classes, nil},
		{"scalar", "()", "want two dimensions", classes, []float64{1}},
		{"wide groups", "(1, 2)", "want one number an item", groups, []float64{1, 2}},
		{"group of halves", "(1,)", "group is 0.5", groups, []float64{0.5}},
		{"infinite group", "(1,)", "group is +Inf", groups, []float64{math.Inf(1)}},
	} {
		err := c.read(writeColumn(t, c.shape, c.values...))
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "column.npy") {
			t.Errorf("%s: %v, want ErrInvalid with the file and %q", c.name, err, c.want)
		}
	}
	if _, err := ReadScores(writeColumn(t, "(2,)", 1, 2)); !errors.Is(err, ErrInvalid) {
		t.Errorf("scores of one dimension: %v, want ErrInvalid", err)
	}
}
