package audio

import "testing"

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"tags", "tags", 0}, {"tag", "tags", 1}, {"strat", "start", 2},
		{"kitten", "sitting", 3}, {"flaw", "lawn", 2}, // the textbook pairs
	} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if distance(c.b, c.a) != c.want {
			t.Errorf("distance(%q, %q) is not symmetric", c.a, c.b)
		}
	}
}

func TestNearest(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"file_path", "path"}, {"begin", "end"}, {"stop", "start"}, {"labels", "tags"}, {"grp", "group"}, {"Start", "start"}, {"", "end"},
	} {
		if got := nearest(c.name); got != c.want {
			t.Errorf("nearest(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}
