package checkpoint

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep the reference's JSON reader lets objects and arrays nest.
const maxDepth = 127

// scanner reads JSON by the letter, value by value as its caller wants them, and refuses keys that stand twice. It copies
// nothing but the strings that it returns. The text is valid UTF-8 without half surrogates. An error that does not wrap
// ErrInvalid is one of syntax.
type scanner struct {
	text []byte
	at   int
}

func newScanner(text []byte) *scanner { return &scanner{text: text} }

// peek is the next byte that is not white space, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// syntax is the error about what stands next.
func (s *scanner) syntax() error {
	if s.at >= len(s.text) {
		return io.ErrUnexpectedEOF
	}
	r, _ := utf8.DecodeRune(s.text[s.at:])
	return fmt.Errorf("unexpected %q at byte %d", r, s.at)
}

// end tells whether nothing more follows but white space.
func (s *scanner) end() bool { s.peek(); return s.at == len(s.text) }

// object reads `{ key: value, ... }`; field consumes each value.
func (s *scanner) object(field func(key string) error) error {
	if s.peek() != '{' {
		return s.unwanted("an object")
	}
	s.at++
	var seen keySet
	return s.members('}', func() error {
		if s.peek() != '"' {
			return s.syntax()
		}
		key, err := s.str()
		if err != nil {
			return err
		}
		if !seen.add(key) {
			return broken(RuleDuplicateKey, "key %s appears twice", quoted(key))
		}
		if s.peek() != ':' {
			return s.syntax()
		}
		s.at++
		return field(key)
	})
}

// array reads `[ value, ... ]`; element consumes each value.
func (s *scanner) array(element func() error) error {
	if s.peek() != '[' {
		return s.unwanted("an array")
	}
	s.at++
	return s.members(']', element)
}

// members reads up to the closing bracket.
func (s *scanner) members(closing byte, member func() error) error {
	if s.peek() == closing {
		s.at++
		return nil
	}
	for {
		if err := member(); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.at++
		case closing:
			s.at++
			return nil
		default:
			return s.syntax()
		}
	}
}

// str reads a string.
func (s *scanner) str() (string, error) {
	if s.peek() != '"' {
		return "", s.unwanted("a string")
	}
	start, escapes := s.at, false
	for s.at++; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			if !escapes {
				return string(s.text[start+1 : s.at-1]), nil
			}
			var text string
			if json.Unmarshal(s.text[start:s.at], &text) != nil {
				s.at = start
				return "", s.syntax()
			}
			return text, nil
		case c == '\\':
			escapes = true
			s.at++
		case c < ' ':
			return "", s.syntax()
		}
	}
	s.at = len(s.text)
	return "", s.syntax()
}

// number reads a number as it is spelt.
func (s *scanner) number() (string, error) {
	if c := s.peek(); c != '-' && (c < '0' || c > '9') {
		return "", s.unwanted("a whole number")
	}
	start := s.at
	for s.at < len(s.text) && strings.IndexByte("0123456789+-.eE", s.text[s.at]) >= 0 {
		s.at++
	}
	if !json.Valid(s.text[start:s.at]) {
		s.at = start
		return "", s.syntax()
	}
	return string(s.text[start:s.at]), nil
}

// word reads null, true or false, whichever stands next.
func (s *scanner) word() (string, error) {
	for _, word := range []string{"null", "true", "false"} {
		if strings.HasPrefix(string(s.text[s.at:min(s.at+len(word), len(s.text))]), word) {
			s.at += len(word)
			return word, nil
		}
	}
	return "", s.syntax()
}

// naturals reads an array of whole numbers that fit an int64.
func (s *scanner) naturals() ([]int64, error) {
	list := []int64{}
	err := s.array(func() error {
		number, err := s.number()
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(number, 10, 63)
		if err != nil {
			return invalid("%s where a whole number below 2^63 is wanted", cut(number))
		}
		list = append(list, int64(n))
		return nil
	})
	return list, err
}

// skip reads any one value inside of depth objects and arrays. Though nobody needs it, it must be in order: as in the
// reference neither too deep nor with a number beyond float64.
func (s *scanner) skip(depth int) error {
	c := s.peek()
	if (c == '{' || c == '[') && depth == maxDepth {
		return broken(RuleDepth, "objects and arrays nest more than %d deep", maxDepth)
	}
	var err error
	switch {
	case c == '{':
		err = s.object(func(string) error { return s.skip(depth + 1) })
	case c == '[':
		err = s.array(func() error { return s.skip(depth + 1) })
	case c == '"':
		_, err = s.str()
	case c == '-' || c >= '0' && c <= '9':
		var number string
		if number, err = s.number(); err != nil {
			return err
		}
		if _, tooLarge := strconv.ParseFloat(number, 64); tooLarge != nil {
			err = broken(RuleJSON, "%s is beyond the range of numbers", cut(number))
		}
	default:
		_, err = s.word()
	}
	return err
}

// unwanted is the error about a value that is not what is wanted, or about its syntax.
func (s *scanner) unwanted(want string) error {
	var got string
	var err error
	switch c := s.peek(); {
	case c == '{' || c == '[':
		got = string(c)
	case c == '"':
		if got, err = s.str(); err == nil {
			got = quoted(got)
		}
	case c == '-' || c >= '0' && c <= '9':
		got, err = s.number()
	default:
		got, err = s.word()
	}
	if err != nil {
		return err
	}
	return invalid("%s where %s is wanted", cut(got), want)
}

// keySet are the keys of one object so far. Most have few.
type keySet struct {
	few  [8]string
	n    int
	many map[string]bool
}

// add tells whether the key is new.
func (k *keySet) add(key string) bool {
	for _, known := range k.few[:min(k.n, len(k.few))] {
		if known == key {
			return false
		}
	}
	if k.n < len(k.few) {
		k.few[k.n] = key
		k.n++
		return true
	}
	if k.many[key] {
		return false
	}
	if k.many == nil {
		k.many = make(map[string]bool)
	}
	k.many[key] = true
	return true
}
