package dataset

import "testing"

const annotations = "\"clip_id\"\t\"guitar\"\t\"no voice\"\t\"slow\"\t\"mp3_path\"\n" +
	"\"2\"\t\"1\"\t\"0\"\t\"0\"\t\"f/a-1-29.mp3\"\n" +
	"\"6\"\t\"1\"\t\"1\"\t\"0\"\t\"0/b-1-30.mp3\"\n" +
	"\"10\"\t\"0\"\t\"0\"\t\"0\"\t\"b/c-1-29.mp3\"\n" +
	"\"11\"\t\"1\"\t\"0\"\t\"0\"\t\"c/d-1-29.mp3\"\n" +
	"\"12\"\t\"0\"\t\"0\"\t\"1\"\t\"d/e-1-29.mp3\"\n"

const clipInfo = "clip_id\ttrack_number\ttitle\tartist\talbum\turl\tsegmentStart\tsegmentEnd\toriginal_url\tmp3_path\n" +
	"2\t1\tA \"live\" take\tX\tOne\tu/one/\t0\t29\t\tf/a-1-29.mp3\n" +
	"6\t1\tB\tX\tTwo\tu/two/\t0\t29\t\t0/b-1-30.mp3\n" +
	"10\t2\tC\tY\tThree\tu/three/\t59\t88\t\tb/c-1-29.mp3\n" +
	"11\t2\tD\tZ\tFour\tu/four/\t59\t88\t\tc/d-1-29.mp3\n" +
	"12\t2\tE\tZ\tFive\tu/five/\t59\t88\t\t\n"

func magnatagatune() files {
	return files{"annotations_final.csv": annotations, "clip_info_final.csv": clipInfo, "mp3/f/a-1-29.mp3": wave(29.12), "mp3/0/b-1-30.mp3": wave(29.2),
		"mp3/b/c-1-29.mp3": wave(29.12), "mp3/c/d-1-29.mp3": wave(29.12), "mp3/d/e-1-29.mp3": wave(29.12)}
}

func mtat(dir string) Config {
	return Config{Name: "mtat", Format: MagnaTagATune, Root: dir, Tags: 2}
}

func TestMagnaTagATuneAll(t *testing.T) {
	l := open(t, mtat(magnatagatune().on(t)))
	same(t, "train", l.ids(Train), []string{"0/b-1-30.mp3", "b/c-1-29.mp3"}) // an untagged clip stays
	same(t, "valid", l.ids(Valid), []string{"c/d-1-29.mp3"})
	same(t, "test", l.ids(Test), []string{"f/a-1-29.mp3", "d/e-1-29.mp3"})
	r := l.row(t, "0/b-1-30.mp3")
	same(t, "tags", r.Tags, []string{"guitar", "no voice"})
	same(t, "groups", r.Groups, []string{"X", "Two"})
	if r.Seconds != 29 || r.Group != "u/two/ track 1" {
		t.Errorf("%v s, group %q, want 29 s and the track", r.Seconds, r.Group)
	}
	// Artist X is in train and test, Z in valid and test; no album is in two splits.
	if f := l.Findings; len(f.Leaks) != 1 || f.Leaks[0].By != "artist" || f.Leaks[0].Groups != 2 || f.Leaks[0].Rows != 1 || len(f.Ungrouped) != 0 {
		t.Errorf("leaks %+v, ungrouped %+v", f.Leaks, f.Ungrouped)
	}
}

func TestMagnaTagATuneWithoutClipInfo(t *testing.T) {
	f := magnatagatune()
	delete(f, "clip_info_final.csv")
	l := open(t, mtat(f.on(t)))
	if u := l.Findings.Ungrouped; len(u) != 2 || u[0] != (Ungrouped{"artist", 5}) || u[1] != (Ungrouped{"album", 5}) {
		t.Errorf("ungrouped %+v, want artist and album of all 5 rows", u)
	}
}

// The rule: longer than 29.1 s, then the top tags of train, then one of them. slow is not in train, so its clip goes.
func TestMagnaTagATuneTagged(t *testing.T) {
	f := magnatagatune()
	f["mp3/c/d-1-29.mp3"] = wave(29.05)
	cfg := mtat(f.on(t))
	cfg.Convention = "tagged"
	l := open(t, cfg)
	same(t, "train", l.ids(Train), []string{"0/b-1-30.mp3"})
	same(t, "valid", l.ids(Valid), nil)
	same(t, "test", l.ids(Test), []string{"f/a-1-29.mp3"})
	if out := l.Findings.LeftOut; len(out) != 2 || out[0].Count != 1 || out[0].First[0] != "c/d-1-29.mp3" || out[1].Count != 2 {
		t.Errorf("left out %+v", out)
	}
}

func TestMagnaTagATuneLists(t *testing.T) {
	f := magnatagatune()
	f["train.txt"], f["valid.txt"], f["test.txt"] = "1\t0/b-1-30.mp3\n", "0\tf/a-1-29.mp3\n", "3\tc/d-1-29.mp3\n"
	dir := f.on(t)
	cfg := mtat(dir)
	cfg.Convention, cfg.Splits = "tagged", Splits{dir + "/train.txt", dir + "/valid.txt", dir + "/test.txt"}
	l := open(t, cfg)
	same(t, "valid", l.ids(Valid), []string{"f/a-1-29.mp3"})
	if out := l.Findings.LeftOut; len(out) != 1 || out[0].Count != 2 || out[0].Reason != "in no split" {
		t.Errorf("left out %+v, want the 2 clips that are in no list", out)
	}
}

func TestMagnaTagATuneRefuses(t *testing.T) {
	const a, c = "annotations_final.csv", "clip_info_final.csv"
	refuses(t, magnatagatune(), mtat, []spoilt{
		{"empty", a, "", " ", "line 1: no column \"clip_id\""},
		{"no rows", a, "", "clip_id\tguitar\tmp3_path\n", "no rows below the header"},
		{"commas", a, "", "clip_id,guitar,mp3_path\n", "line 1: the header holds no tab"},
		{"another column", a, "clip_id", "clip", "line 1: no column \"clip_id\""},
		{"column twice", a, "no voice", "guitar", "line 1: column \"guitar\" appears twice"},
		{"columns in another order", a, "\"clip_id\"\t\"guitar\"", "\"guitar\"\t\"clip_id\"", "line 1: columns \"guitar\" to \"mp3_path\""},
		{"short row", a, "\"6\"\t", "", "line 3: 4 tab-separated values, want 5"},
		{"not 0 or 1", a, "\"2\"\t\"1\"", "\"2\"\t\"yes\"", "line 2: tag \"guitar\" is \"yes\", want 0 or 1"},
		{"clip twice", a, "\"6\"", "\"2\"", "line 3: clip_id \"2\" is on line 2 already"},
		{"path twice", a, "b/c-1-29", "f/a-1-29", "line 4: mp3_path \"f/a-1-29.mp3\" is on line 2 already"},
		{"no number", a, "\"6\"", "\"six\"", "line 3: clip_id \"six\", want a whole number"},
		{"no folder", a, "c/d-1", "g/d-1", "line 5: mp3_path \"g/d-1-29.mp3\", want a folder 0 to f"},
		{"a way out", a, "c/d-1", "c/../../d", "line 5: mp3_path"},
		{"no path", a, "\"c/d-1-29.mp3\"", "\"\"", "line 5: mp3_path is empty"},
		{"UTF-16", a, "", utf16(annotations), "line 1: the file is UTF-16, want UTF-8"},
		{"Latin-1", c, "Three", "Caf\xe9", "line 4: byte 0xe9 is not UTF-8"},
		{"zero byte", c, "Three", "Thr\x00ee", "line 4: a zero byte"},
		{"segment", c, "59\t88\t\tb", "88\t59\t\tb", "line 4: segment from \"88\" to \"59\""},
		{"clip twice in the information", c, "\n6\t", "\n2\t", "line 3: clip_id \"2\" is on line 2 already"},
		{"no artist column", c, "artist", "performer", "line 1: no column \"artist\""},
	})
}
