package probe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The arrays of testdata/make_golden.py: [i][j] is (3i + j) % 2, plus 0.25 in floating types.
func TestReadNumPyFiles(t *testing.T) {
	for _, c := range []struct {
		name string
		add  float64
	}{
		{"bool", 0}, {"int8", 0}, {"uint8", 0}, {"int16", 0}, {"uint16", 0}, {"int32", 0}, {"uint32", 0}, {"int64", 0}, {"uint64", 0},
		{"float32", 0.25}, {"float64", 0.25}, {"fortran", 0.25}, {"version2", 0.25},
	} {
		path := filepath.Join("testdata", c.name+".npy")
		scores, err := ReadScores(path)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if len(scores) != 4 || len(scores[0]) != 3 {
			t.Errorf("%s: [%d][%d], want [4][3]", c.name, len(scores), len(scores[0]))
			continue
		}
		labels, err := ReadLabels(path)
		if (err == nil) != (c.add == 0) {
			t.Errorf("%s as labels: %v", c.name, err)
		}
		for i, row := range scores {
			for j, got := range row {
				one := (3*i+j)%2 == 1
				want := c.add
				if one {
					want++
				}
				if got != want || c.add == 0 && labels[i][j] != one {
					t.Errorf("%s [%d][%d]: %v, want %v", c.name, i, j, got, want)
				}
			}
		}
	}
}

func TestReadRefusesNumPyFiles(t *testing.T) {
	for name, want := range map[string]string{
		"bigendian": "dtype '>f8'",
		"complex":   "dtype '<c16'",
		"object":    "dtype '|O'",
		"flat":      "shape (12,), want two dimensions",
		"cube":      "shape (1, 4, 3), want two dimensions",
		"empty":     "shape (0, 3), want two dimensions from 1",
	} {
		path := filepath.Join("testdata", name+".npy")
		for _, err := range []error{second(ReadScores(path)), second(ReadLabels(path))} {
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: got %v, want ErrInvalid with the path and %q", name, err, want)
			}
		}
	}
	if err := second(ReadScores("testdata/none.npy")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: got %v", err)
	}
	if err := second(ReadLabels("testdata")); !errors.Is(err, ErrInvalid) {
		t.Errorf("a folder: got %v", err)
	}
	if err := second(ReadLabels("testdata/float64.npy")); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "item 0, tag 0: label is 0.25, want 0 or 1") {
		t.Errorf("labels of 0.25: got %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// array builds an .npy file of version 1.
func array(header string, data int) []byte {
	out := append([]byte("\x93NUMPY\x01\x00"), 0, 0)
	binary.LittleEndian.PutUint16(out[8:], uint16(len(header)))
	return append(append(out, header...), make([]byte, data)...)
}

func TestParseNPYRefuses(t *testing.T) {
	dict := func(descr, order, shape string) string {
		return fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n", descr, order, shape)
	}
	good := dict("<f8", "False", "(2, 2)")
	if _, err := parseNPY(array(good, 32), false); err != nil {
		t.Fatal(err)
	}
	long := []byte("\x93NUMPY\x02\x00\xff\xff\xff\x7f")
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "not an .npy file"},
		{"magic alone", []byte("\x93NUMPY"), "not an .npy file"},
		{"a zip", []byte("PK\x03\x04 an .npz file"), "not an .npy file"},
		{"version 9", append([]byte("\x93NUMPY\x09\x00"), make([]byte, 20)...), "format version 9"},
		{"version 2 cut", []byte("\x93NUMPY\x02\x00\x01\x00"), "format version 2"},
		{"header longer than the file", array(good, 0)[:40], "the file ends after"},
		{"header of 2 GB", long, "header of 2147483647 bytes"},
		{"no dict", array("descr", 0), "is not a dict"},
		{"dict not opened", array(strings.TrimPrefix(good, "{"), 32), "is not a dict"},
		{"dict not closed", array(strings.Replace(good, "}", "", 1), 32), "is not a dict"},
		{"unknown key", array("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), 'x': False}", 32), "header entry"},
		{"key twice", array("{'descr': '<f8', 'descr': '<f8', 'shape': (2, 2)}", 32), `header key "descr" twice`},
		{"key missing", array("{'descr': '<f8', 'shape': (2, 2)}", 32), "lacks one of"},
		{"order", array(dict("<f8", "'False'", "(2, 2)"), 32), "fortran_order is 'False'"},
		{"descr is no string", array("{'descr': True, 'fortran_order': False, 'shape': (2, 2)}", 32), "dtype True"},
		{"structured", array("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2, 2)}", 32), "dtype [("},
		{"no order of bytes", array(dict("|f8", "False", "(2, 2)"), 32), "dtype '|f8'"},
		{"half precision", array(dict("<f2", "False", "(2, 2)"), 8), "dtype '<f2'"},
		{"too short", array(good, 31), "31 bytes of data, want 32"},
		{"too long", array(good, 33), "33 bytes of data, want 32"},
		{"rows without columns", array(dict("<f8", "False", "(9999999999, 0)"), 0), "want two dimensions from 1"},
		{"overflow", array(dict("<f8", "False", "(99999999999999999999, 2)"), 0), "want two dimensions from 1"},
		{"too many elements", array(dict("<f8", "False", "(100000000, 100000000)"), 0), "want at most"},
		{"scalar", array(dict("<f8", "False", "()"), 8), "want two dimensions"},
	} {
		if _, err := parseNPY(c.data, false); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// FuzzParseNPY checks that whatever parses can be read in full.
func FuzzParseNPY(f *testing.F) {
	names, err := filepath.Glob("testdata/*.npy")
	if err != nil || len(names) < 19 {
		f.Fatalf("%d fixtures, %v, want 19", len(names), err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := parseNPY(data, false)
		if err != nil {
			return
		}
		if a.rows < 1 || a.cols < 1 || a.rows*a.cols*a.kind.size > len(data) || !bytes.HasSuffix(data, a.data) {
			t.Fatalf("[%d][%d] elements of %d bytes in a file of %d", a.rows, a.cols, a.kind.size, len(data))
		}
		for i := range a.rows {
			a.at(i, a.cols-1)
		}
		a.labels()
	})
}
