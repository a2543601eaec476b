package checkpoint

import "strconv"

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
