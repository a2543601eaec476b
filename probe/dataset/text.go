package dataset

import (
	"bytes"
	"fmt"
	"os"
	"unicode/utf8"
)

// fault is an error of a file's line, from 1; line 0 is the file as a whole.
func fault(file string, line int, format string, args ...any) error {
	if line == 0 {
		return faultAt(file, "", format, args...)
	}
	return faultAt(file, fmt.Sprintf("line %d", line), format, args...)
}

// faultAt is an error of a place in a file: a line, or an entry of an array; "" is the file as a whole.
func faultAt(file, place, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if place == "" {
		return fmt.Errorf("%s: %w: %w", file, ErrInvalid, err)
	}
	return fmt.Errorf("%s: %w: %s: %w", file, ErrInvalid, place, err)
}

// readText reads a whole file that must be UTF-8, with or without a byte order mark.
func readText(file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return data, checkText(file, &data)
}

// checkText drops a byte order mark and refuses other encodings, of which it names the first line.
func checkText(file string, data *[]byte) error {
	text := bytes.TrimPrefix(*data, []byte("\ufeff"))
	*data = text
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return fault(file, 1, "the file is UTF-16, want UTF-8")
	}
	if at := bytes.IndexByte(text, 0); at >= 0 {
		return fault(file, lineOf(text, at), "a zero byte, want UTF-8 text")
	}
	if utf8.Valid(text) {
		return nil
	}
	at := 0
	for {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			return fault(file, lineOf(text, at), "byte 0x%02x is not UTF-8 (is the file Latin-1?), want UTF-8", text[at])
		}
		at += size
	}
}

// lineOf is the line, from 1, of the byte at an offset.
func lineOf(text []byte, at int) int { return 1 + bytes.Count(text[:min(at, len(text))], []byte("\n")) }
