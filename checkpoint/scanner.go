package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// maxDepth is how deep the reference's JSON reader lets objects and arrays nest.
const maxDepth = 127

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
			return broken(RuleDuplicateKey, "key %s appears twice", quoted(key))
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
		return invalid("%s where an %s is wanted", shown(token), what)
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
		return "", invalid("%s where a string is wanted", shown(token))
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
			return nil, invalid("%s where a whole number is wanted", shown(token))
		}
		n, err := strconv.ParseUint(number.String(), 10, 63)
		if err != nil {
			return nil, invalid("%s where a whole number below 2^63 is wanted", shown(number))
		}
		list = append(list, int64(n))
	}
	_, err := s.dec.Token()
	return list, err
}

// skip reads any one value inside of depth objects and arrays. Though nobody needs it, it must be in order: as in the
// reference neither too deep nor with a number beyond float64.
func (s scanner) skip(depth int) error {
	token, err := s.dec.Token()
	if err != nil {
		return err
	}
	if _, ok := token.(json.Delim); ok && depth == maxDepth {
		return broken(RuleDepth, "objects and arrays nest more than %d deep", maxDepth)
	}
	switch token := token.(type) {
	case json.Number:
		if _, err := token.Float64(); err != nil {
			return broken(RuleJSON, "%s is beyond the range of numbers", shown(token))
		}
	case json.Delim:
		if token == '{' {
			return s.fields(func(string) error { return s.skip(depth + 1) })
		}
		for s.dec.More() {
			if err := s.skip(depth + 1); err != nil {
				return err
			}
		}
		_, err = s.dec.Token()
	}
	return err
}

// end wants nothing more but white space.
func (s scanner) end() bool {
	_, err := s.dec.Token()
	return err == io.EOF
}

// shown is a token as messages show it.
func shown(token json.Token) string { return cut(fmt.Sprint(token)) }
