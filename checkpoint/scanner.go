package checkpoint

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// scanner walks JSON token by token, refusing duplicate keys.
type scanner struct{ dec *json.Decoder }

func newScanner(text []byte) scanner {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return scanner{dec}
}

// object reads `{ key: value, ... }`; field consumes each value.
func (s scanner) object(field func(key string) error) error {
	if err := s.open('{', "object"); err != nil {
		return err
	}
	return s.fields(field)
}

func (s scanner) fields(field func(key string) error) error {
	seen := make(map[string]bool)
	for s.dec.More() {
		token, err := s.dec.Token()
		if err != nil {
			return err
		}
		key := token.(string)
		if seen[key] {
			return invalid("key %q appears twice", key)
		}
		seen[key] = true
		if err := field(key); err != nil {
			return err
		}
	}
	_, err := s.dec.Token()
	return err
}

func (s scanner) open(delim json.Delim, what string) error {
	token, err := s.dec.Token()
	if err != nil {
		return err
	}
	if token != delim {
		return invalid("%v where an %s is wanted", token, what)
	}
	return nil
}

func (s scanner) text() (string, error) {
	token, err := s.dec.Token()
	if err != nil {
		return "", err
	}
	text, ok := token.(string)
	if !ok {
		return "", invalid("%v where a string is wanted", token)
	}
	return text, nil
}

// naturals reads an array of whole numbers that fit an int64.
func (s scanner) naturals() ([]int64, error) {
	if err := s.open('[', "array"); err != nil {
		return nil, err
	}
	list := []int64{}
	for s.dec.More() {
		token, err := s.dec.Token()
		if err != nil {
			return nil, err
		}
		number, ok := token.(json.Number)
		if !ok {
			return nil, invalid("%v where a whole number is wanted", token)
		}
		n, err := strconv.ParseUint(number.String(), 10, 63)
		if err != nil {
			return nil, invalid("%s where a whole number below 2^63 is wanted", number)
		}
		list = append(list, int64(n))
	}
	_, err := s.dec.Token()
	return list, err
}

// skip reads any one value.
func (s scanner) skip() error {
	var value json.RawMessage
	return s.dec.Decode(&value)
}

// loneSurrogate finds an escape \ud800 to \udfff without its other half, -1 if there is none. Go's decoder would put
// U+FFFD there, the reference refuses it.
func loneSurrogate(text []byte) int {
	for i := 0; i+1 < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		u := escaped(text[i:])
		switch {
		case u >= 0xd800 && u < 0xdc00:
			if low := escaped(text[min(i+6, len(text)):]); low < 0xdc00 || low > 0xdfff {
				return i
			}
			i += 11
		case u >= 0xdc00 && u <= 0xdfff:
			return i
		default:
			i++
		}
	}
	return -1
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
