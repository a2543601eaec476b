package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
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
		return nil, broken(RuleTruncated, "truncated: %d bytes, want at least 8", len(data))
	}
	n := binary.LittleEndian.Uint64(data)
	if n > maxHeader {
		return nil, broken(RuleHeaderLength, "header length %d, want at most %d", n, maxHeader)
	}
	if n > uint64(len(data)-8) {
		return nil, broken(RuleTruncated, "truncated: header length %d, but only %d bytes follow", n, len(data)-8)
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

// scanHeader reads the JSON by the letter: valid UTF-8, one object, no key twice at any level, nothing after it but white
// space. White space before it and unknown keys of a tensor pass, as in the reference.
func scanHeader(text []byte) (*header, error) {
	if !utf8.Valid(text) {
		return nil, broken(RuleUTF8, "header is not valid UTF-8")
	}
	if trimmed := bytes.TrimLeft(text, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return nil, broken(RuleJSON, "header does not start with {")
	}
	if at := loneSurrogate(text); at >= 0 {
		return nil, broken(RuleUTF8, "header is not valid text: half of a surrogate pair at byte %d", at)
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
		return nil, jsonError("header", err)
	}
	if !s.end() {
		return nil, broken(RuleJSON, "header has something after its closing }")
	}
	return h, nil
}

// jsonError gives JSON's own errors a context: what was read.
func jsonError(what string, err error) error {
	if errors.Is(err, ErrInvalid) {
		return ruled(RuleJSON, err)
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return broken(RuleJSON, "%s is not valid JSON: %v", what, err)
}
