package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"
)

// maxHeader is the longest header that the reference implementation reads, in bytes.
const maxHeader = 100_000_000

// metadataKey is the header's one key that is not a tensor.
const metadataKey = "__metadata__"

// entry is one tensor of a header: its bytes are [begin, end) of the data that follows it.
type entry struct {
	Info
	begin, end int64
}

// header is what a safetensors file says about itself.
type header struct {
	entries  []entry // sorted by begin, then end
	metadata map[string]string
	data     int64 // where the data starts in the file
	foreign  bool  // has what the library does not read: further dtypes, further keys
}

// parseHeader reads and checks the header of a file whose bytes are data (all of it, mapped). No size in the file is
// trusted before it is compared with what is there. Every error names one broken rule and, where there is one, the tensor.
func parseHeader(data []byte) (*header, error) {
	if len(data) < 8 {
		return nil, invalid("truncated: %d bytes, want at least 8", len(data))
	}
	n := binary.LittleEndian.Uint64(data)
	if n > maxHeader {
		return nil, invalid("header length %d, want at most %d", n, maxHeader)
	}
	if n > uint64(len(data)-8) {
		return nil, invalid("truncated: header length %d, but only %d bytes follow", n, len(data)-8)
	}
	text := data[8 : 8+n]
	h, err := scanHeader(text)
	if err != nil {
		return nil, err
	}
	h.data = int64(8 + n)
	if err := h.checkLayout(int64(len(data)) - h.data); err != nil {
		return nil, err
	}
	return h, h.crossCheck(text)
}

// scanHeader reads the JSON by the letter: valid UTF-8, one object, no key twice at any level that matters, nothing
// after it but white space. White space before it and unknown keys of a tensor pass, as in the reference.
func scanHeader(text []byte) (*header, error) {
	if !utf8.Valid(text) {
		return nil, invalid("header is not valid UTF-8")
	}
	if trimmed := bytes.TrimLeft(text, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return nil, invalid("header does not start with {")
	}
	s := newScanner(text)
	h := &header{}
	err := s.object(func(name string) error {
		if name == metadataKey {
			return s.metadata(h)
		}
		return s.tensor(h, name)
	})
	if err != nil {
		return nil, headerError(err)
	}
	if _, err := s.dec.Token(); err != io.EOF {
		return nil, invalid("header has something after its closing }")
	}
	return h, nil
}

// headerError gives JSON's own errors a context.
func headerError(err error) error {
	if errors.Is(err, ErrInvalid) {
		return err
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return invalid("header is not valid JSON: %v", err)
}

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
