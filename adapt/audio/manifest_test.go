package audio

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// corpus makes a folder with empty recordings (manifests do not open them) and a manifest, and returns the folder.
func corpus(t *testing.T, name, manifest string, recordings ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, r := range append(recordings, name) {
		path := filepath.Join(dir, r)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestReadManifest(t *testing.T) {
	a := Entry{ID: "a.wav"}
	tests := []struct {
		name, file, manifest string
		want                 []Entry
	}{
		{"path only", "m.csv", "path\na.wav\n", []Entry{a}},
		{"no newline at the end", "m.csv", "path\na.wav", []Entry{a}},
		{"byte order mark, CRLF, blank line", "m.csv", "\ufeffpath\r\n\r\na.wav\r\n", []Entry{a}},
		{"all columns in another order", "m.csv", "group,tags,split,end,start,path\nG, x | y ,train,2.5,1,sub/b.wav\n",
			[]Entry{{ID: "sub/b.wav", Start: 1, End: 2.5, Split: "train", Tags: []string{"x", "y"}, Group: "G"}}},
		{"rows keep their order, one file in parts", "m.csv", "path,start,end\nsub/b.wav,,\na.wav,1,2\na.wav,0,1\na.wav,,\n",
			[]Entry{{ID: "sub/b.wav"}, {ID: "a.wav", Start: 1, End: 2}, {ID: "a.wav", End: 1}, a}},
		{"TSV by name", "m.tsv", "path\tsplit\na.wav\tvalid, or not\n", []Entry{{ID: "a.wav", Split: "valid, or not"}}},
		{"TSV by header", "m.txt", "path\tsplit\na.wav\ttest\n", []Entry{{ID: "a.wav", Split: "test"}}},
		{"CSV by header", "m.txt", "path,split\na.wav,test\n", []Entry{{ID: "a.wav", Split: "test"}}},
		{"quotes", "m.csv", "path,group\n\"with, comma.wav\",\"Ελλάδα\"\n", []Entry{{ID: "with, comma.wav", Group: "Ελλάδα"}}},
		{"exponents", "m.csv", "path,start,end\na.wav,1e-1,1E1\n", []Entry{{ID: "a.wav", Start: 0.1, End: 10}}},
		{"dot path", "m.csv", "path\n./sub/../a.wav\n", []Entry{{ID: "./sub/../a.wav"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := corpus(t, test.file, test.manifest, "a.wav", "sub/b.wav", "with, comma.wav")
			got, err := ReadManifest(filepath.Join(dir, test.file))
			if err != nil {
				t.Fatal(err)
			}
			for i := range test.want {
				test.want[i].Path = filepath.Join(dir, test.want[i].ID)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestReadManifestAbsolutePath(t *testing.T) {
	other := temp(t, "far.wav", nil)
	dir := corpus(t, "m.csv", "path\n"+other+"\n")
	got, err := ReadManifest(filepath.Join(dir, "m.csv"))
	if err != nil || len(got) != 1 || got[0].Path != other || got[0].ID != other {
		t.Errorf("got %+v, %v, want the path %s as it is", got, err, other)
	}
}

func TestReadManifestRefuses(t *testing.T) {
	tests := []struct{ name, manifest, want string }{
		{"empty", "", "empty manifest"},
		{"header only", "path,split\n", "no rows"},
		{"no path column", "start,end\n0,1\n", `no column "path"`},
		{"unknown column", "path,tag\na.wav,x\n", `unknown column "tag", the nearest known is "tags"`},
		{"unknown column, near start", "path,strat\na.wav,x\n", `unknown column "strat", the nearest known is "start"`},
		{"capital", "Path\na.wav\n", `unknown column "Path", the nearest known is "path"`},
		{"column twice", "path,split,split\na.wav,x,y\n", `column "split" appears twice`},
		{"tabs in a .csv", "path\tsplit\na.wav\tx\n", "unknown column \"path\\tsplit\""},
		{"short row", "path,split\na.wav,x\na.wav\n", "line 3"},
		{"long row", "path,split\na.wav,x,y\n", "line 2"},
		{"open quote", "path\n\"a.wav\n", "line"},
		{"empty path", "path,split\n,x\n", `line 2: path ""`},
		{"start no number", "path,start,end\na.wav,0,1\na.wav,one,2\n", `line 3: start "one"`},
		{"start negative", "path,start,end\na.wav,-1,2\n", `line 2: start "-1"`},
		{"end NaN", "path,start,end\na.wav,0,NaN\n", `line 2: end "NaN"`},
		{"end infinite", "path,start,end\na.wav,0,inf\n", `line 2: end "inf"`},
		{"end too large to parse", "path,start,end\na.wav,0,1e999\n", `line 2: end "1e999"`},
		{"end before start", "path,start,end\n\na.wav,2,1\n", "line 3: end 1 s, want an end after the start 2 s"},
		{"end at start", "path,start,end\na.wav,2,2\n", "line 2: end 2 s"},
		{"start without end", "path,start,end\na.wav,2,\n", "line 2: end 0 s, want an end after the start 2 s"},
		{"empty tag", "path,tags\na.wav,x||y\n", `line 2: tag ""`},
		{"tag twice", "path,tags\na.wav,x|y|x\n", `line 2: tag "x" appears twice`},
		{"row twice", "path,start,end\na.wav,1,2\na.wav,2,3\na.wav,1.0,2\n", "line 4: \"a.wav\" from 1 s to 2 s is on line 2 already"},
		{"file twice under two names", "path\na.wav\n./a.wav\n", "is on line 2 already"},
		{"a folder", "path\nsub\n", "is a directory"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := corpus(t, "m.csv", test.manifest, "a.wav", "sub/b.wav")
			path := filepath.Join(dir, "m.csv")
			_, err := ReadManifest(path)
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), path) {
				t.Errorf("error %v, want ErrInvalid that starts with the path and says %q", err, test.want)
			}
		})
	}
}

func TestReadManifestMissingFiles(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("path,start,end\na.wav,,\n")
	for i := range 12 {
		fmt.Fprintf(&rows, "no%02d.wav,0,1\nno%02d.wav,1,2\n", i, i)
	}
	dir := corpus(t, "m.csv", rows.String(), "a.wav")
	_, err := ReadManifest(filepath.Join(dir, "m.csv"))
	if !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, ErrInvalid) {
		t.Fatalf("error %v, want fs.ErrNotExist and ErrInvalid", err)
	}
	text := err.Error()
	for _, want := range []string{"12 of 13 recordings", "no00.wav", "no09.wav", "..."} {
		if !strings.Contains(text, want) {
			t.Errorf("error %q does not say %q", text, want)
		}
	}
	if strings.Contains(text, "no10.wav") || strings.Count(text, "no00.wav") != 1 {
		t.Errorf("error %q lists more than ten files, or one twice", text)
	}
	if _, err := ReadManifest(filepath.Join(dir, "none.csv")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no manifest: %v", err)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte("path,start,end,split,tags,group\na.wav,0,1.5,train,x|y,g\n\"b,c.wav\",,,,,\n"), ',')
	f.Add([]byte("path\ttags\r\na.wav\tx\r\n"), '\t')
	f.Add([]byte("\ufeffgroup,path\n\"a\nb\",c"), ',')
	f.Fuzz(func(t *testing.T, data []byte, separator rune) {
		if separator != ',' {
			separator = '\t'
		}
		entries, err := parseManifest(data, "folder", separator)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("error %v does not wrap ErrInvalid", err)
			}
			return
		}
		// What was read can be written, and reads back the same.
		written, err := formatManifest(entries, "folder", separator)
		if err != nil {
			t.Fatalf("write: %v", err)
		}
		again, err := parseManifest(written, "folder", separator)
		if err != nil || !reflect.DeepEqual(again, entries) {
			t.Fatalf("read back: %v\n%+v\nwant\n%+v", err, again, entries)
		}
	})
}
