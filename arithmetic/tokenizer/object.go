package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// object is a JSON object whose keys keep their order. A file that is edited stays as it was but for what changed.
type object []field

type field struct {
	key   string
	value json.RawMessage
}

// checkText refuses what Go's decoder would replace without a word: bytes that are not UTF-8, and halves of surrogate pairs.
func checkText(text []byte) error {
	if !utf8.Valid(text) {
		return invalid("not valid UTF-8")
	}
	for i := 0; i+1 < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		u := escaped(text[i:])
		switch {
		case u >= 0xd800 && u < 0xdc00:
			if low := escaped(text[min(i+6, len(text)):]); low < 0xdc00 || low > 0xdfff {
				return invalid("half of a surrogate pair at byte %d", i)
			}
			i += 11
		case u >= 0xdc00 && u <= 0xdfff:
			return invalid("half of a surrogate pair at byte %d", i)
		default:
			i++
		}
	}
	return nil
}

// escaped is the number of an escape \uXXXX that text starts with, 0 for anything else.
func escaped(text []byte) uint64 {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return n
}

// parseObject reads one object. A key twice is an error: readers differ in which of the two they take.
func parseObject(text []byte) (object, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	if err := expect(dec, '{', "an object"); err != nil {
		return nil, err
	}
	var o object
	seen := make(map[string]bool)
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, malformed(err)
		}
		key, ok := t.(string)
		if !ok {
			return nil, invalid("want a key, not %v", t)
		}
		if seen[key] {
			return nil, invalid("key %q twice", key)
		}
		seen[key] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, malformed(err)
		}
		o = append(o, field{key, value})
	}
	if err := expect(dec, '}', "the end of an object"); err != nil {
		return nil, err
	}
	if rest := bytes.TrimSpace(text[dec.InputOffset():]); len(rest) > 0 {
		return nil, invalid("%d bytes after the object", len(rest))
	}
	return o, nil
}

// expect consumes one delimiter.
func expect(dec *json.Decoder, want json.Delim, what string) error {
	t, err := dec.Token()
	if err != nil {
		return malformed(err)
	}
	if t != want {
		return invalid("want %s", what)
	}
	return nil
}

// malformed is the decoder's error as one about the file's contents.
func malformed(err error) error { return invalid("malformed JSON: %v", err) }

func (o object) get(key string) (json.RawMessage, bool) {
	i := slices.IndexFunc(o, func(f field) bool { return f.key == key })
	if i < 0 || string(o[i].value) == "null" {
		return nil, false
	}
	return o[i].value, true
}

// text is a field that is a string, "" for any other.
func (o object) text(key string) string {
	var s string
	if value, ok := o.get(key); !ok || json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}

// with returns the object with a field set: in place where it stands, at the end where it does not.
func (o object) with(key string, value json.RawMessage) object {
	o = slices.Clone(o)
	if i := slices.IndexFunc(o, func(f field) bool { return f.key == key }); i >= 0 {
		o[i].value = value
		return o
	}
	return append(o, field{key, value})
}

// encode writes the object on one line.
func (o object) encode() json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(quote(f.key))
		b.WriteByte(':')
		b.Write(f.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// indent writes the object as Hugging Face's tools do, two spaces a level.
func (o object) indent() ([]byte, error) {
	var b bytes.Buffer
	if err := json.Indent(&b, o.encode(), "", "  "); err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// quote is a string in JSON, without the escapes that are for HTML.
func quote(s string) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) != nil { // a string always encodes
		return json.RawMessage(strconv.Quote(s))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
