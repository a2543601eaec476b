package dataset

import (
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// files are a dataset on disk, by path below its folder. A file under a name that ends in an audio format is a recording; it may be
// empty where nothing opens it.
type files map[string]string

// on writes the files below a folder that the test owns.
func (f files) on(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range f {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// with is a copy in which one file's text is replaced; "" for old replaces all of it.
func (f files) with(t *testing.T, file, old, text string) files {
	t.Helper()
	out := maps.Clone(f)
	switch {
	case old == "":
		out[file] = text
	case !strings.Contains(f[file], old):
		t.Fatalf("%s does not hold %q: the test spoils nothing", file, old)
	default:
		out[file] = strings.Replace(f[file], old, text, 1)
	}
	return out
}

// spoilt is one kind of malformed metadata: old becomes text in file, and the error must name the file and hold want.
type spoilt struct{ name, file, old, text, want string }

// refuses holds that a good dataset opens, and that each way to spoil it is one error with the file and what was expected.
func refuses(t *testing.T, good files, config func(dir string) Config, cases []spoilt) {
	t.Helper()
	if _, err := Open(config(good.on(t))); err != nil {
		t.Fatalf("the dataset that the cases spoil does not open: %v", err)
	}
	if len(cases) < 10 {
		t.Errorf("%d kinds of malformed metadata, want at least 10", len(cases))
	}
	for _, c := range cases {
		_, err := Open(config(good.with(t, c.file, c.old, c.text).on(t)))
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", c.name, err)
			continue
		}
		if text := err.Error(); !strings.Contains(text, filepath.Base(c.file)) || !strings.Contains(text, c.want) || strings.Contains(text, "\n") {
			t.Errorf("%s: got %v, want one line with %s and %s", c.name, err, filepath.Base(c.file), c.want)
		}
	}
}

// open opens a dataset that must be good.
func open(t *testing.T, cfg Config) *Listing {
	t.Helper()
	l, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// ids returns the ids of one split, in order.
func (l *Listing) ids(split string) []string {
	var out []string
	for _, r := range l.Rows {
		if r.Split == split {
			out = append(out, r.ID)
		}
	}
	return out
}

func (l *Listing) row(t *testing.T, id string) Row {
	t.Helper()
	at := slices.IndexFunc(l.Rows, func(r Row) bool { return r.ID == id })
	if at < 0 {
		t.Fatalf("no row %s", id)
	}
	return l.Rows[at]
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// utf16 is a text as Windows programs save it.
func utf16(text string) string {
	out := []byte{0xff, 0xfe}
	for _, r := range text {
		out = binary.LittleEndian.AppendUint16(out, uint16(r))
	}
	return string(out)
}

// wave is a recording of the given length, 16 bits at 1 kHz.
func wave(seconds float64) string {
	n := uint32(2 * int(seconds*1000))
	le := binary.LittleEndian
	out := le.AppendUint32([]byte("RIFF"), 36+n)
	out = le.AppendUint32(append(out, "WAVEfmt "...), 16)
	out = le.AppendUint16(le.AppendUint16(out, 1), 1)
	out = le.AppendUint32(le.AppendUint32(out, 1000), 2000)
	out = le.AppendUint16(le.AppendUint16(out, 2), 16)
	return string(append(le.AppendUint32(append(out, "data"...), n), make([]byte, n)...))
}
