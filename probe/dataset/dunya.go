package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// readDunya reads recordings of the Dunya corpora, known by MusicBrainz ids, as Papaioannou et al. 2023 lay them out: metadata.json in
// Root or Root/split, id lists split/train.npy, valid.npy, test.npy (or .txt) unless Splits names others, recordings ID.mp3 (or of another
// ending) in Audio, Root/audios or Root/audio. The convention names the corpus and with it the cap of 150, 780 or 330 s.
//
// metadata.json is an object id -> list of tags, or null where the service gave no answer; or id -> the recording as the service
// answered; or a list of such answers, each with its mbid. dunyaFields says which tags an answer has.
// Neither artists nor concerts are compared between splits, because only some answers have them.
func readDunya(cfg Config, conv convention, l *Listing) (reading, error) {
	folder := cfg.Audio
	if folder == "" {
		folder = below(cfg.Root, "audios", "audio")
	}
	files, err := openRecordings(folder)
	if err != nil {
		return reading{}, err
	}
	file := below(cfg.Root, "metadata.json", "split/metadata.json")
	none, err := readDunyaMetadata(file, conv.name, files, l)
	if err != nil {
		return reading{}, err
	}
	lists := cfg.Splits
	if lists.given() == 0 {
		list := func(name string) string { return below(cfg.Root, "split/"+name+".npy", "split/"+name+".txt") }
		lists = Splits{list(Train), list(Valid), list(Test)}
	}
	return reading{normal: mbid, lists: lists, none: none}, nil
}

// dunyaField is one list of an answer and the name of its entries: makamlist[].name gives makam--NAME.
type dunyaField struct{ list, prefix, inner, name string }

func dunyaFields(corpus string) []dunyaField {
	switch corpus {
	case "makam":
		return []dunyaField{{"makamlist", "makam", "", "name"}, {"usullist", "usul", "", "name"}, {"performers", "instrument", "instrument", "name"}}
	case "carnatic":
		return []dunyaField{{"raaga", "raga", "", "common_name"}, {"taala", "tala", "", "common_name"}, {"artists", "instrument", "instrument", "name"},
			{"form", "form", "", "name"}}
	case "hindustani":
		return []dunyaField{{"raags", "raga", "", "common_name"}, {"taals", "tala", "", "common_name"}, {"artists", "instrument", "instrument", "name"},
			{"forms", "form", "", "common_name"}}
	}
	return nil
}

// readDunyaMetadata appends a row a recording and returns the ids whose metadata is null.
func readDunyaMetadata(file, corpus string, files *recordings, l *Listing) (none []string, err error) {
	text, err := readText(file)
	if err != nil {
		return nil, err
	}
	seen := map[string]int{}
	add := func(line int, id string, value json.RawMessage) error {
		if id, err = mbid(id); err != nil {
			return fault(file, line, "%w", err)
		}
		if first, twice := seen[id]; twice {
			return fault(file, line, "id %q is on line %d already", id, first)
		}
		seen[id] = line
		row := newRow(id, files.path(id), line)
		if string(value) == "null" {
			none = append(none, id)
		} else if row.Tags, err = dunyaTags(value, corpus); err != nil {
			return fault(file, line, "id %q: %w", id, err)
		}
		l.Rows = append(l.Rows, row)
		return nil
	}
	if err := eachRecording(file, text, add); err != nil {
		return nil, err
	}
	if len(seen) == 0 {
		return nil, fault(file, 0, "no recordings")
	}
	return none, nil
}

// eachRecording walks the object or the list with the line of every entry.
func eachRecording(file string, text []byte, add func(line int, id string, value json.RawMessage) error) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	here := func() int { return lineOf(text, int(dec.InputOffset())) }
	open, err := dec.Token()
	if err != nil || open != json.Delim('{') && open != json.Delim('[') {
		return fault(file, here(), "want a JSON object id -> tags, or a list of recordings")
	}
	for dec.More() {
		var id string
		if open == json.Delim('{') {
			key, err := dec.Token()
			if err != nil {
				return fault(file, here(), "%w", err)
			}
			id = fmt.Sprint(key)
		}
		line := here()
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return fault(file, here(), "%w, want JSON", err)
		}
		if open == json.Delim('{') && (id == Train || id == Test) {
			return fault(file, line, "a list of labels, not of recordings: give it as tags_file")
		}
		if open == json.Delim('[') {
			var answer struct{ MBID string }
			if err := json.Unmarshal(value, &answer); err != nil || answer.MBID == "" {
				return fault(file, line, "an entry without mbid, want recordings as the service answers them")
			}
			id = answer.MBID
		}
		if err := add(line, id, value); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return fault(file, here(), "%w, want JSON", err)
	}
	if rest := bytes.TrimSpace(text[dec.InputOffset():]); len(rest) > 0 {
		return fault(file, here(), "%.20q after the end of the JSON value", rest)
	}
	return nil
}

// dunyaTags reads a list of tags, or a recording as the service answers it.
func dunyaTags(value json.RawMessage, corpus string) ([]string, error) {
	var tags []string
	if value[0] == '[' {
		if err := json.Unmarshal(value, &tags); err != nil {
			return nil, fmt.Errorf("%w, want a list of tags", err)
		}
		for i, tag := range tags {
			if strings.TrimSpace(tag) == "" {
				return nil, fmt.Errorf("tag %d is empty", i+1)
			}
			if slices.Contains(tags[:i], tag) {
				return nil, fmt.Errorf("tag %q appears twice", tag)
			}
		}
		return tags, nil
	}
	answer := map[string]json.RawMessage{}
	if value[0] != '{' || json.Unmarshal(value, &answer) != nil {
		return nil, fmt.Errorf("%.40s, want a list of tags, null, or a recording as the service answers it", value)
	}
	for _, f := range dunyaFields(corpus) {
		raw, ok := answer[f.list]
		if !ok {
			return nil, fmt.Errorf("no %s, which the recordings of %s have", f.list, corpus)
		}
		var list []map[string]json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, fmt.Errorf("%s: %w, want a list of objects", f.list, err)
		}
		for _, entry := range list {
			name, err := f.nameOf(entry)
			if err != nil {
				return nil, err
			}
			if tag := f.prefix + "--" + name; !slices.Contains(tags, tag) { // two performers may play one instrument
				tags = append(tags, tag)
			}
		}
	}
	return tags, nil
}

func (f dunyaField) nameOf(entry map[string]json.RawMessage) (string, error) {
	path := f.list + "[]."
	if f.inner != "" {
		path += f.inner + "."
		inner := map[string]json.RawMessage{}
		if err := json.Unmarshal(entry[f.inner], &inner); err != nil {
			return "", fmt.Errorf("no %s%s", path, f.name)
		}
		entry = inner
	}
	var name string
	if err := json.Unmarshal(entry[f.name], &name); err != nil || strings.TrimSpace(name) == "" {
		return "", fmt.Errorf("no %s%s, want a name", path, f.name)
	}
	return name, nil
}

// mbid holds an id against the form of MusicBrainz's: a UUID in small letters.
func mbid(given string) (string, error) {
	id := strings.ToLower(given)
	for i, c := range []byte(id) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdef", rune(c)) {
			id = ""
			break
		}
	}
	if len(id) != 36 {
		return "", fmt.Errorf("id %.60q, want a MusicBrainz id (a UUID)", given)
	}
	return id, nil
}
