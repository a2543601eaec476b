package dataset

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// id is the n-th of the ids of these tests.
func id(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// tagged is metadata.json as id -> tags: one entry a line, from line 2.
func tagged() string {
	return fmt.Sprintf("{\n%q: [\"makam--Rast\", \"usul--Aksak\"],\n%q: [\"makam--Rast\"],\n%q: [],\n%q: [\"makam--Hicaz\"]\n}\n", id(1), id(2), id(3), id(4))
}

func dunya() files {
	f := files{"metadata.json": tagged(), "split/train.txt": id(1) + "\n" + id(2) + "\n", "split/valid.txt": id(3) + "\n", "split/test.txt": strings.ToUpper(id(4)) + "\n"}
	for n := 1; n <= 4; n++ {
		f["audios/"+id(n)+".mp3"] = ""
	}
	return f
}

func makam(dir string) Config {
	return Config{Name: "makam", Format: Dunya, Convention: "makam", Root: dir}
}

func TestDunyaTags(t *testing.T) {
	l := open(t, makam(dunya().on(t)))
	same(t, "train", l.ids(Train), []string{id(1), id(2)})
	same(t, "test", l.ids(Test), []string{id(4)})
	same(t, "tags", l.row(t, id(1)).Tags, []string{"makam--Rast", "usul--Aksak"})
	if l.Max != 150 || l.Top != 30 {
		t.Errorf("cap %v s, top %d, want 150 and 30", l.Max, l.Top)
	}
	if u := l.Findings.Ungrouped; len(u) != 2 || u[0].Rows != 4 {
		t.Errorf("ungrouped %+v, want artist and album of all rows", u)
	}
	cfg := makam(dunya().on(t))
	none := 0.0
	if cfg.Max = &none; open(t, cfg).Max != 0 {
		t.Error("max_seconds: 0 does not lift the cap")
	}
}

// The lists of the splits may be numpy's, as the public ones are.
func TestDunyaNumpyLists(t *testing.T) {
	f := dunya()
	data, err := os.ReadFile("testdata/ids.npy")
	if err != nil {
		t.Fatal(err)
	}
	delete(f, "split/train.txt")
	f["split/train.npy"] = string(data)
	same(t, "train", open(t, makam(f.on(t))).ids(Train), []string{id(1), id(2)})
}

func TestDunyaAnswers(t *testing.T) {
	answer := map[string]string{
		"makam":      `"makamlist": [{"name": "Rast"}], "usullist": [{"name": "Aksak"}], "performers": [{"instrument": {"name": "Ney"}}, {"instrument": {"name": "Ney"}}]`,
		"carnatic":   `"raaga": [{"common_name": "Todi"}], "taala": [{"common_name": "Adi"}], "artists": [{"instrument": {"name": "Violin"}}], "form": [{"name": "Kriti"}]`,
		"hindustani": `"raags": [{"common_name": "Yaman"}], "taals": [], "artists": [], "forms": [{"common_name": "Khayal"}]`,
	}
	want := map[string][]string{
		"makam":      {"makam--Rast", "usul--Aksak", "instrument--Ney"},
		"carnatic":   {"raga--Todi", "tala--Adi", "instrument--Violin", "form--Kriti"},
		"hindustani": {"raga--Yaman", "form--Khayal"},
	}
	for corpus, fields := range answer {
		f := dunya()
		var list []string
		for n := 1; n <= 4; n++ {
			list = append(list, fmt.Sprintf(`{"mbid": %q, "title": "x", %s}`, id(n), fields))
		}
		f["metadata.json"] = "[\n" + strings.Join(list, ",\n") + "\n]"
		cfg := makam(f.on(t))
		cfg.Convention = corpus
		same(t, corpus, open(t, cfg).row(t, id(2)).Tags, want[corpus])
	}
}

func TestDunyaNull(t *testing.T) {
	f := dunya().with(t, "metadata.json", `["makam--Rast"]`, "null")
	cfg := makam(f.on(t))
	if _, err := Open(cfg); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "1 of 4 recordings have null for metadata: "+id(2)) {
		t.Errorf("got %v, want the recording without metadata", err)
	}
	cfg.Missing = MissingSkip
	l := open(t, cfg)
	if out := l.Findings.LeftOut; len(out) != 1 || out[0].Reason != "no metadata" || out[0].First[0] != id(2) {
		t.Errorf("left out %+v", out)
	}
}

func TestDunyaRefuses(t *testing.T) {
	const m = "metadata.json"
	refuses(t, dunya(), makam, []spoilt{
		{"empty", m, "", "", "line 1: want a JSON object"},
		{"no JSON", m, "", "makam", "line 1: want a JSON object"},
		{"cut off", m, "\n}\n", "", "want JSON"},
		{"more", m, "\n}\n", "\n}\n{}", "after the end of the JSON value"},
		{"nothing in it", m, "", "{}", "no recordings"},
		{"label list", m, "", "{\"train\": [\"makam--Rast\"], \"test\": []}", "line 1: a list of labels, not of recordings: give it as tags_file"},
		{"no id", m, id(2), "two", "line 3: id \"two\", want a MusicBrainz id"},
		{"id twice", m, id(2), id(1), "line 3: id \"" + id(1) + "\" is on line 2 already"},
		{"tag twice", m, "usul--Aksak", "makam--Rast", "line 2: id \"" + id(1) + "\": tag \"makam--Rast\" appears twice"},
		{"empty tag", m, "usul--Aksak", "", "line 2: id \"" + id(1) + "\": tag 2 is empty"},
		{"tag is a number", m, "\"usul--Aksak\"", "7", "want a list of tags"},
		{"text for tags", m, "[\"makam--Hicaz\"]", "\"makam--Hicaz\"", "line 5: id \"" + id(4) + "\": \"makam--Hicaz\", want a list of tags, null, or a recording"},
		{"answer without a list", m, "[\"makam--Hicaz\"]", "{\"makamlist\": []}", "line 5: id \"" + id(4) + "\": no usullist, which the recordings of makam have"},
		{"answer without a name", m, "[\"makam--Hicaz\"]", "{\"makamlist\": [{\"title\": \"Rast\"}]}", "no makamlist[].name"},
		{"answer without an instrument", m, "[\"makam--Hicaz\"]", "{\"makamlist\": [], \"usullist\": [], \"performers\": [{}]}", "no performers[].instrument.name"},
		{"list without mbid", m, "", "[\n{\"title\": \"x\"}]", "line 2: an entry without mbid"},
		{"UTF-16", m, "", utf16(tagged()), "line 1: the file is UTF-16, want UTF-8"},
		{"Latin-1", m, "Hicaz", "D\xfcgah", "line 5: byte 0xfc is not UTF-8"},
		{"unknown id", "split/test.txt", "", id(9), "line 1: id \"" + id(9) + "\" is not in the metadata"},
		{"damaged array", "split/valid.txt", "", "\x93NUMPY\x01\x00\xff\xff{}", "header of 65535 bytes"},
	})
}
