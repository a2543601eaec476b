package dataset

import (
	"fmt"
	"math"
	"testing"
)

func music4all() files {
	f := files{"id_information.csv": "id\tartist\tsong\talbum_name\n", "id_tags.csv": "id\ttags\n", "id_genres.csv": "id\tgenres\n",
		"train.txt": "id0\nid1\n", "valid.txt": "id2\n", "test.txt": "id3\n"}
	for i := range 4 {
		f["id_information.csv"] += fmt.Sprintf("id%d\tArtist %d\t\"Heroes\" (live)\tAlbum\n", i, i/2)
		f["id_tags.csv"] += fmt.Sprintf("id%d\tindie rock,female vocalists\n", i)
		f["id_genres.csv"] += fmt.Sprintf("id%d\trock\n", i)
		f[fmt.Sprintf("audios/id%d.mp3", i)] = ""
	}
	return f
}

func byLists(dir string) Config {
	return Config{Name: "m4a", Format: Music4All, Root: dir, Splits: Splits{dir + "/train.txt", dir + "/valid.txt", dir + "/test.txt"}}
}

func TestMusic4All(t *testing.T) {
	cfg := byLists(music4all().on(t))
	l := open(t, cfg)
	same(t, "train", l.ids(Train), []string{"id0", "id1"})
	same(t, "tags", l.row(t, "id2").Tags, []string{"indie rock", "female vocalists"})
	same(t, "groups", l.row(t, "id2").Groups, []string{"artist 1", "artist 1: album"})
	if k := l.Findings.Leaks; len(k) != 2 || k[0].By != "artist" || k[0].Groups != 1 || k[0].Rows != 0 {
		t.Errorf("leaks %+v, want artist 1 and its album in valid and test", k)
	}
	cfg.Convention = "genres"
	same(t, "genres", open(t, cfg).row(t, "id2").Tags, []string{"rock"})
}

// With a seed no artist is in two splits, another seed splits otherwise, and the shares are as asked for.
func TestMusic4AllByArtist(t *testing.T) {
	seed := uint64(1)
	l := open(t, Config{Name: "m4a", Format: Music4All, Root: music4all().on(t), SplitSeed: &seed})
	for i, r := range l.Rows {
		if want := splitByName(r.Groups[0], 1); r.Split != want || r.Split != l.Rows[i/2*2].Split {
			t.Errorf("%s: split %s, want %s as all of its artist", r.ID, r.Split, want)
		}
	}
	const n = 10000
	counts, moved := map[string]int{}, 0
	for i := range n {
		name := fmt.Sprint("artist ", i)
		counts[splitByName(name, 1)]++
		if splitByName(name, 1) != splitByName(name, 2) {
			moved++
		}
	}
	for split, share := range map[string]float64{Train: 0.7, Valid: 0.1, Test: 0.2} {
		if got, within := float64(counts[split])/n, 4*math.Sqrt(share*(1-share)/n); math.Abs(got-share) > within { // four deviations of a binomial share
			t.Errorf("%s: share %v, want %v +- %v", split, got, share, within)
		}
	}
	if moved < n/3 {
		t.Errorf("another seed moves %d of %d artists", moved, n)
	}
}

func TestMusic4AllRefuses(t *testing.T) {
	const in, tg = "id_information.csv", "id_tags.csv"
	refuses(t, music4all(), byLists, []spoilt{
		{"empty", in, "", "", "line 1: no column \"id\""},
		{"no rows", in, "", "id\tartist\tsong\talbum_name\n", "no rows below the header"},
		{"commas", in, "", "id,artist,song,album_name\n", "line 1: the header holds no tab"},
		{"another column", in, "artist", "artists", "no column \"artist\" (is it \"artists\"?)"},
		{"column twice", in, "song", "artist", "line 1: column \"artist\" appears twice"},
		{"short row", in, "id1\tArtist 0", "id1", "line 3: 3 tab-separated values, want 4"},
		{"id twice", in, "id1", "id0", "line 3: id \"id0\" is on line 2 already"},
		{"no id", in, "id1", "", "line 3: id is empty"},
		{"a path", in, "id1", "a/id1", "line 3: id \"a/id1\", want one that can name a file"},
		{"no artist", in, "Artist 0", "", "line 2: artist is empty"},
		{"no tags of an id", tg, "id3\tindie rock,female vocalists\n", "", "id \"id3\" is not in"},
		{"tags of no id", tg, "id3\t", "id9\tx\nid3\t", "line 5: id \"id9\" is not in"},
		{"empty tag", tg, "indie rock,", "indie rock,,", "line 2: tags \"indie rock,,female vocalists\" holds an empty value"},
		{"tag twice", tg, "female vocalists", "indie rock", "line 2: tags holds \"indie rock\" twice"},
		{"UTF-16", tg, "", utf16("id\ttags\n"), "line 1: the file is UTF-16, want UTF-8"},
		{"Latin-1", in, "Artist 0", "Beyonc\xe9", "line 2: byte 0xe9 is not UTF-8"},
		{"unknown id", "test.txt", "id3", "id7", "line 1: id \"id7\" is not in the metadata"},
	})
}
