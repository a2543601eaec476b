package dataset

import (
	"slices"
	"strings"

	"syncretic/checkpoint/recipe"
)

// table is a file of tab-separated lines below a header, as MagnaTagATune, Lyra and Music4All have them. A value that is quoted as a
// whole loses its quotes, and doubled quotes in it become one; a quote elsewhere is a character like any other, as in titles. No value
// holds a tab or a line break.
type table struct {
	file   string
	header []string
	column map[string]int
	rows   []tableRow
}

type tableRow struct {
	line   int
	values []string // as many as the header has
}

// readTable reads a table that must have the named columns, in any order. Further columns are allowed.
func readTable(file string, want ...string) (*table, error) {
	text, err := readText(file)
	if err != nil {
		return nil, err
	}
	t := &table{file: file, column: map[string]int{}}
	for i, line := range strings.Split(strings.TrimRight(string(text), "\r\n"), "\n") {
		values := splitTabs(strings.TrimSuffix(line, "\r"))
		if i > 0 {
			if len(values) != len(t.header) {
				return nil, fault(file, i+1, "%d tab-separated values, want %d as in the header", len(values), len(t.header))
			}
			t.rows = append(t.rows, tableRow{i + 1, values})
			continue
		}
		t.header = values
		for c, name := range values {
			if _, twice := t.column[name]; twice {
				return nil, fault(file, 1, "column %q appears twice", name)
			}
			t.column[name] = c
		}
	}
	for _, name := range want {
		if _, ok := t.column[name]; ok {
			continue
		}
		if len(t.header) == 1 && strings.Contains(t.header[0], ",") {
			return nil, fault(file, 1, "the header holds no tab, want tab-separated columns %s", strings.Join(want, ", "))
		}
		if near, ok := recipe.Nearest(name, t.header); ok {
			return nil, fault(file, 1, "no column %q (is it %q?), want %s", name, near, strings.Join(want, ", "))
		}
		return nil, fault(file, 1, "no column %q, want %s", name, strings.Join(want, ", "))
	}
	if len(t.rows) == 0 {
		return nil, fault(file, 0, "no rows below the header")
	}
	return t, nil
}

func splitTabs(line string) []string {
	values := strings.Split(line, "\t")
	for i, v := range values {
		if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
			values[i] = strings.ReplaceAll(v[1:len(v)-1], `""`, `"`)
		}
	}
	return values
}

// value is one column of a row, without spaces around it.
func (t *table) value(r tableRow, column string) string {
	return strings.TrimSpace(r.values[t.column[column]])
}

// ids holds the column id against repetition and emptiness.
func (t *table) ids(column string) (map[string]tableRow, error) {
	seen := make(map[string]tableRow, len(t.rows))
	for _, r := range t.rows {
		id := t.value(r, column)
		if id == "" {
			return nil, fault(t.file, r.line, "%s is empty", column)
		}
		if first, twice := seen[id]; twice {
			return nil, fault(t.file, r.line, "%s %q is on line %d already", column, id, first.line)
		}
		seen[id] = r
	}
	return seen, nil
}

// split cuts a list of tags; empty and repeated ones are errors, an empty list is none.
func (t *table) split(r tableRow, column, by string) ([]string, error) {
	text := t.value(r, column)
	if text == "" {
		return nil, nil
	}
	list := strings.Split(text, by)
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
		if list[i] == "" {
			return nil, fault(t.file, r.line, "%s %q holds an empty value, want a list separated by %q", column, text, by)
		}
		if slices.Contains(list[:i], list[i]) {
			return nil, fault(t.file, r.line, "%s holds %q twice", column, list[i])
		}
	}
	return list, nil
}
