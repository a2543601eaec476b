package dataset

import (
	"strings"
	"testing"
)

const tracksCSV = ",album,album,artist,set,set,track,track,track,track\n" +
	",id,information,id,split,subset,genre_top,genres,genres_all,title\n" +
	"track_id,,,,,,,,,\n" +
	"2,1,\"<p>two\nlines, \"\"quoted\"\"</p>\",7,training,small,Hip-Hop,[21],[21],Food\n" +
	"3,1,,7,training,medium,Rock,\"[25, 109]\",\"[25, 12, 109]\",Electric\n" +
	"5,2,,8,validation,medium,Rock,[12],[12],This\n" +
	"10,3,,8,test,small,Rock,[109],\"[12, 25, 109]\",Freeway\n" +
	"20,4,,9,training,large,,[],[],Spiritual\n" +
	"1486,5,,9,training,medium,Rock,[12],[12],Out\n"

const genresCSV = "genre_id,#tracks,parent,title,top_level\n12,32923,0,Rock,12\n21,12706,0,Hip-Hop,21\n25,9261,12,Punk,12\n109,1,25,Hardcore,12\n"

func fma() files {
	f := files{"fma_metadata/tracks.csv": tracksCSV, "fma_metadata/genres.csv": genresCSV, "train.txt": "000002\n000003\n", "valid.txt": "5\n", "test.txt": "000010\n"}
	for _, id := range []string{"000002", "000003", "000005", "000010", "001486"} {
		f["fma_medium/"+id[:3]+"/"+id+".mp3"] = ""
	}
	return f
}

func fmaTagged(dir string) Config {
	return Config{Name: "fma", Format: FMA, Root: dir, Splits: Splits{dir + "/train.txt", dir + "/valid.txt", dir + "/test.txt"}}
}

func TestFMATagged(t *testing.T) {
	l := open(t, fmaTagged(fma().on(t)))
	same(t, "train", l.ids(Train), []string{"000002", "000003"})
	same(t, "valid", l.ids(Valid), []string{"000005"})
	same(t, "ancestors", l.row(t, "000010").Tags, []string{"Hardcore", "Punk", "Rock"})
	same(t, "each once", l.row(t, "000003").Tags, []string{"Punk", "Rock", "Hardcore"})
	if out := l.Findings.LeftOut; len(out) != 1 || out[0].First[0] != "001486" {
		t.Errorf("left out %+v, want the track that the published lists leave out", out)
	}
	if l.Top != 20 || l.Task != MultiLabel || !strings.HasSuffix(l.Rows[0].Path, "000002.mp3") {
		t.Errorf("top %d, task %s, path %s", l.Top, l.Task, l.Rows[0].Path)
	}
	if k := l.Findings.Leaks; len(k) != 1 || k[0].By != "artist" || k[0].Groups != 1 || k[0].First[0] != "8" {
		t.Errorf("leaks %+v, want artist 8 in valid and test", k)
	}
}

func TestFMAOfficial(t *testing.T) {
	cfg := Config{Name: "fma", Format: FMA, Root: fma().on(t), Convention: "official"}
	l := open(t, cfg)
	same(t, "train", l.ids(Train), []string{"000002", "000003", "001486"}) // the official split leaves nothing out; large is not medium
	same(t, "genre_top", l.row(t, "000003").Tags, []string{"Rock"})
	if l.Task != Single || l.Top != 0 {
		t.Errorf("task %s of %d tags, want single of all", l.Task, l.Top)
	}
	cfg.Task = MultiLabel
	l = open(t, cfg)
	if same(t, "genres", l.row(t, "000010").Tags, []string{"Hardcore", "Punk", "Rock"}); l.Top != 20 {
		t.Errorf("top %d, want 20", l.Top)
	}
}

func TestFMARefuses(t *testing.T) {
	const tr, g = "fma_metadata/tracks.csv", "fma_metadata/genres.csv"
	refuses(t, fma(), fmaTagged, []spoilt{
		{"empty", tr, "", "", "line 1: the file ends"},
		{"one header row", tr, "", "track_id,split,subset\n2,training,small\n", "line 3: the file ends"},
		{"no index row", tr, "track_id,,,,,,,,,\n", "", "line 3: first value \"2\", want track_id"},
		{"no rows", tr, tracksCSV[strings.Index(tracksCSV, "2,1,"):], "", "no rows below the header"},
		{"another column", tr, "genres,genres_all", "genre,genres_all", "line 2: no column (track, genres)"},
		{"column twice", tr, "genres_all", "genres", "line 2: column (track, genres) appears twice"},
		{"short row", tr, "5,2,,8,", "5,2,8,", "line 7: 9 comma-separated values, want 10"},
		{"open quote", tr, "Freeway", "\"Freeway", "want CSV"},
		{"no number", tr, "\n5,", "\nfive,", "line 7: track_id \"five\""},
		{"track twice", tr, "\n5,", "\n3,", "line 7: track_id 3 is on line 6 already"},
		{"unknown subset", tr, "validation,medium", "validation,tiny", "line 7: subset \"tiny\", want small, medium, large"},
		{"no list", tr, "[12],[12],This", "12,[12],This", "line 7: genres: \"12\", want a list of numbers in brackets"},
		{"unknown genre", tr, "[12],[12],This", "[99],[12],This", "line 7: genre 99 is not in genres.csv"},
		{"UTF-16", tr, "", utf16(tracksCSV), "line 1: the file is UTF-16, want UTF-8"},
		{"Latin-1", tr, "This", "Caf\xe9", "line 7: a value that is not UTF-8"},
		{"genre columns", g, "parent", "above", "line 1: no column \"parent\""},
		{"genre twice", g, "\n21,", "\n12,", "line 3: genre_id 12 is on line 2 already"},
		{"title twice", g, "Punk", "Rock", "line 4: title \"Rock\" is on line 2 already"},
		{"unknown parent", g, "9261,12", "9261,13", "ancestor 13 is not a genre_id"},
		{"circle", g, "32923,0", "32923,109", "is its own ancestor"},
		{"id in no row", "valid.txt", "5", "6", "line 1: id \"000006\" is not in the metadata"},
		{"id in two lists", "test.txt", "000010", "000003", "line 1: id \"000003\" is on line 2 of"},
		{"id twice", "train.txt", "000003", "2", "line 2: id \"000002\" is on line 1 already"},
		{"no id", "train.txt", "000003", "three", "line 2: id \"three\", want a track's number"},
		{"empty list", "valid.txt", "5\n", "\n", "no ids"},
	})
	official := func(dir string) Config { return Config{Name: "fma", Format: FMA, Root: dir, Convention: "official"} }
	for _, c := range []spoilt{
		{"unknown split", tr, "test,small", "dev,small", "line 8: split \"dev\", want training, validation or test"},
		{"no root genre", tr, "small,Rock", "small,Punk", "line 8: genre_top \"Punk\", want a root genre"},
	} {
		if _, err := Open(official(fma().with(t, c.file, c.old, c.text).on(t))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}
