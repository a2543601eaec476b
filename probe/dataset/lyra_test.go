package dataset

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

const lyraHeader = "id\tinstruments\tgenres\tplace\tcoordinates\tis-danced\tyoutube-id\tstart-ts\tend-ts\n"

// lyra has 20 training pieces, so that valid is the first two of the shuffle, and 2 test pieces.
func lyra() files {
	f := files{"split/training.tsv": lyraHeader, "split/test.tsv": lyraHeader}
	for i := range 22 {
		file, id := "split/training.tsv", fmt.Sprintf("piece-%02d", i)
		if i >= 20 {
			file = "split/test.tsv"
		}
		f[file] += fmt.Sprintf("%s\tVoice|Violin\tLaiko\tNone\tNone\t%d\tvideo-%d\t%d\t%d\n", id, i%2, i/2, 10*i, 10*i+36)
		f["audio/"+id+".wav"] = ""
	}
	f["raw.tsv"] = f["split/training.tsv"] + strings.TrimPrefix(f["split/test.tsv"], lyraHeader)
	return f
}

func lyraAt(dir string) Config { return Config{Name: "lyra", Format: Lyra, Root: dir} }

func TestLyra(t *testing.T) {
	l := open(t, lyraAt(lyra().on(t)))
	same(t, "test", l.ids(Test), []string{"piece-20", "piece-21"})
	same(t, "tags", l.row(t, "piece-03").Tags, []string{"instruments--Voice", "instruments--Violin", "genres--Laiko", "place--None"})
	golden := shuffles(t)[1] // seed 10 of 20
	want := map[string]bool{fmt.Sprintf("piece-%02d", golden.Order[0]): true, fmt.Sprintf("piece-%02d", golden.Order[1]): true}
	if got := l.ids(Valid); len(got) != 2 || !want[got[0]] || !want[got[1]] {
		t.Errorf("valid %q, want %v", got, want)
	}
	if len(l.ids(Train)) != 18 || l.Rows[0].Seconds != 36 || l.Top != 30 {
		t.Errorf("%d train rows, %v s, top %d", len(l.ids(Train)), l.Rows[0].Seconds, l.Top)
	}
}

func TestLyraLists(t *testing.T) {
	f := lyra()
	f["valid.txt"], f["train.txt"], f["test.txt"] = "piece-07\n", "piece-01\npiece-02\n", "piece-21\n"
	dir := f.on(t)
	cfg := lyraAt(dir)
	cfg.Splits.Valid = dir + "/valid.txt"
	same(t, "valid", open(t, cfg).ids(Valid), []string{"piece-07"})
	cfg.Splits.Train, cfg.Splits.Test = dir+"/train.txt", dir+"/test.txt"
	l := open(t, cfg)
	same(t, "train", l.ids(Train), []string{"piece-01", "piece-02"})
	if l.Findings.LeftOut[0].Count != 18 {
		t.Errorf("left out %+v, want the 18 pieces in no list", l.Findings.LeftOut)
	}
	cfg.Splits = Splits{Valid: dir + "/test.txt"}
	if _, err := Open(cfg); err == nil || !strings.Contains(err.Error(), "test.txt: invalid dataset: line 1: id \"piece-21\" is in test.tsv") {
		t.Errorf("a test piece in the validation list: %v", err)
	}
}

func TestLyraRefuses(t *testing.T) {
	const tr, te = "split/training.tsv", "split/test.tsv"
	refuses(t, lyra(), lyraAt, []spoilt{
		{"empty", tr, "", " ", "line 1: no column \"id\""},
		{"no rows", te, "", lyraHeader, "no rows below the header"},
		{"commas", tr, "", strings.ReplaceAll(lyraHeader, "\t", ","), "line 1: the header holds no tab"},
		{"another column", tr, "instruments", "instrument", "no column \"instruments\" (is it \"instrument\"?)"},
		{"column twice", tr, "coordinates", "place", "line 1: column \"place\" appears twice"},
		{"short row", tr, "\tLaiko", "", "line 2: 8 tab-separated values, want 9"},
		{"piece twice", tr, "piece-05", "piece-04", "line 7: id \"piece-04\" is on line 6 already"},
		{"piece in both", te, "piece-20", "piece-04", "line 2: id \"piece-04\" is in training.tsv already"},
		{"no id", tr, "piece-05", "", "line 7: id is empty"},
		{"a path", tr, "piece-05", "../piece-05", "line 7: id \"../piece-05\", want one that can name a file"},
		{"no place", tr, "\tNone\tNone\t0\tvideo-1\t", "\t\tNone\t0\tvideo-1\t", "line 4: place is empty"},
		{"empty tag", tr, "Voice|Violin", "Voice||Violin", "line 2: instruments \"Voice||Violin\" holds an empty value"},
		{"tag twice", tr, "Voice|Violin", "Voice|Voice", "line 2: instruments holds \"Voice\" twice"},
		{"danced", tr, "None\t0\tvideo-0", "None\tyes\tvideo-0", "line 2: is-danced is \"yes\", want 0 or 1"},
		{"times", te, "\t200\t236", "\t236\t200", "line 2: start-ts \"236\" and end-ts \"200\""},
		{"no times", te, "\t200\t236", "\tx\t236", "line 2: start-ts \"x\""},
		{"UTF-16", tr, "", utf16(lyraHeader), "line 1: the file is UTF-16, want UTF-8"},
		{"Latin-1", te, "Laiko", "La\xefko", "line 2: byte 0xef is not UTF-8"},
	})
}

type shuffle struct {
	Seed  uint32
	Order []int
}

func shuffles(t *testing.T) []shuffle {
	t.Helper()
	data, err := os.ReadFile("testdata/shuffle.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ Cases []shuffle }
	if err := json.Unmarshal(data, &golden); err != nil || len(golden.Cases) != 6 {
		t.Fatalf("%d cases, %v", len(golden.Cases), err)
	}
	return golden.Cases
}

// testdata/make_golden.py wrote what numpy's shuffle gives.
func TestPermutationIsNumpys(t *testing.T) {
	for _, c := range shuffles(t) {
		got := newMT19937(c.Seed).permutation(len(c.Order))
		for i := range got {
			if got[i] != c.Order[i] {
				t.Errorf("seed %d of %d: place %d is %d, want %d", c.Seed, len(got), i, got[i], c.Order[i])
				break
			}
		}
	}
}
