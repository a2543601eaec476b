package dataset

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// npyStrings parses numpy's file of a one-dimensional array of strings, dtype <U36 and the like: UTF-32, little-endian, of fixed
// width, padded with zeros. Object arrays are pickles, which are never read. It allocates no more than the data justifies.
func npyStrings(data []byte) ([]string, error) {
	rest, ok := bytes.CutPrefix(data, []byte("\x93NUMPY"))
	if !ok || len(rest) < 6 {
		return nil, fmt.Errorf("not an .npy file (write one with numpy.save)")
	}
	var size uint64
	switch rest[0] {
	case 1:
		size, rest = uint64(binary.LittleEndian.Uint16(rest[2:])), rest[4:]
	case 2, 3:
		size, rest = uint64(binary.LittleEndian.Uint32(rest[2:])), rest[6:]
	default:
		return nil, fmt.Errorf("numpy format version %d, want 1, 2 or 3", rest[0])
	}
	if size > uint64(len(rest)) {
		return nil, fmt.Errorf("header of %d bytes, the file ends after %d", size, len(rest))
	}
	header, body := strings.TrimSpace(string(rest[:size])), rest[size:]
	field := func(key, form string) (string, bool) {
		m := regexp.MustCompile(`'` + key + `'\s*:\s*` + form).FindStringSubmatch(header)
		if m == nil {
			return "", false
		}
		return m[1], true
	}
	if _, object := field("descr", `'(\|O)'`); object {
		return nil, fmt.Errorf("an array of Python objects, want strings: save it with dtype=str")
	}
	w, ok1 := field("descr", `'<U([0-9]{1,6})'`)
	n, ok2 := field("shape", `\(\s*([0-9]{1,12})\s*,?\s*\)`)
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("header %.100q, want a one-dimensional array of strings (dtype <U)", header)
	}
	width, err1 := strconv.Atoi(w)
	count, err2 := strconv.Atoi(n)
	if err1 != nil || err2 != nil || width < 1 || len(body)%(4*width) != 0 || len(body)/(4*width) != count {
		return nil, fmt.Errorf("%d bytes of data, want those of %s strings of %s characters", len(body), n, w)
	}
	out := make([]string, count)
	var b strings.Builder
	for i := range out {
		b.Reset()
		for c := range width {
			r := binary.LittleEndian.Uint32(body[4*(i*width+c):])
			if r == 0 {
				break
			}
			if r > utf8.MaxRune || !utf8.ValidRune(rune(r)) {
				return nil, fmt.Errorf("string %d holds U+%X, which is no character", i+1, r)
			}
			b.WriteRune(rune(r))
		}
		out[i] = b.String()
	}
	return out, nil
}
