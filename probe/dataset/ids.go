package dataset

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// listed is one id of a list and where it stands: "line 3", or "entry 3" of an array, from 1.
type listed struct{ id, place string }

// isNPY tells numpy's files by their first bytes, or by their name when those are spoilt.
func isNPY(file string, data []byte) bool {
	return bytes.HasPrefix(data, []byte("\x93NUMPY")) || strings.EqualFold(filepath.Ext(file), ".npy")
}

// readIDs reads an id list: text with one id a line, or "index<tab>id" as MagnaTagATune's lists have it, or an .npy file of
// strings in either form. Empty lines are passed over. normal turns an id into the form that rows have, or says what it wants.
func readIDs(file string, normal func(string) (string, error)) ([]listed, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var lines []string
	word := "line"
	if isNPY(file, data) {
		word = "entry"
		if lines, err = npyStrings(data); err != nil {
			return nil, fault(file, 0, "%w", err)
		}
	} else {
		if err := checkText(file, &data); err != nil {
			return nil, err
		}
		lines = strings.Split(string(data), "\n")
	}
	var ids []listed
	seen := map[string]string{}
	for i, line := range lines {
		place := fmt.Sprintf("%s %d", word, i+1)
		id := strings.TrimSpace(line)
		if id == "" {
			continue
		}
		if index, rest, two := strings.Cut(id, "\t"); two {
			if _, err := strconv.ParseUint(index, 10, 32); err != nil || strings.Contains(rest, "\t") {
				return nil, faultAt(file, place, "%.80q, want an id, or an index, a tab and an id", id)
			}
			id = rest
		}
		if id, err = normal(id); err != nil {
			return nil, faultAt(file, place, "%w", err)
		}
		if first, twice := seen[id]; twice {
			return nil, faultAt(file, place, "id %q is on %s already", id, first)
		}
		seen[id] = place
		ids = append(ids, listed{id, place})
	}
	if len(ids) == 0 {
		return nil, fault(file, 0, "no ids, want one a line")
	}
	return ids, nil
}

// asIs takes an id in the form that a list has it.
func asIs(id string) (string, error) { return id, nil }

// assign gives the rows the splits of the lists. An id that is in two lists, or in none of the rows, is an error; rows that are in no list
// keep their split.
func (l *Listing) assign(lists Splits, normal func(string) (string, error)) error {
	at := make(map[string]int, len(l.Rows))
	for i, r := range l.Rows {
		at[r.ID] = i
	}
	seen := map[string]string{} // by id: where it stands
	for _, list := range []struct{ split, file string }{{Train, lists.Train}, {Valid, lists.Valid}, {Test, lists.Test}} {
		if list.file == "" {
			continue
		}
		ids, err := readIDs(list.file, normal)
		if err != nil {
			return err
		}
		for _, id := range ids {
			i, ok := at[id.id]
			if !ok {
				return faultAt(list.file, id.place, "id %q is not in the metadata", id.id)
			}
			if first, twice := seen[id.id]; twice {
				return faultAt(list.file, id.place, "id %q is on %s already: splits must not share a recording", id.id, first)
			}
			seen[id.id] = id.place + " of " + list.file
			l.Rows[i].Split = list.split
		}
	}
	return nil
}

// exclude leaves out the rows that a list names; an id that no row has is allowed, since one list serves several datasets.
func (l *Listing) exclude(file string, normal func(string) (string, error)) error {
	if file == "" {
		return nil
	}
	ids, err := readIDs(file, normal)
	if err != nil {
		return err
	}
	out := make(map[string]bool, len(ids))
	for _, id := range ids {
		out[id.id] = true
	}
	l.leaveOut("excluded by "+file, func(r Row) bool { return out[r.ID] })
	return nil
}
