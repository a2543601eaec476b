package checkpoint

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"testing"
)

// file is a safetensors file with the given header and n bytes of data.
func file(header string, n int) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header + strings.Repeat("\x01", n)
}

func contains(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }

// one is a header with a tensor "w" of the given fields.
func one(fields string) string { return `{"w":{` + fields + `}}` }

func TestHeaderAccepts(t *testing.T) {
	for _, c := range []struct {
		name, header string
		data         int
		tensors      int
	}{
		{"empty", `{}`, 0, 0},
		{"padding after", "{}  \n\t", 0, 0},
		{"space before", "  {}", 0, 0},
		{"scalar", one(`"dtype":"F32","shape":[],"data_offsets":[0,4]`), 4, 1},
		{"zero dimension", one(`"dtype":"F32","shape":[0,3],"data_offsets":[0,0]`), 0, 1},
		{"metadata", `{"__metadata__":{"a":"b"},"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 2, 1},
		{"null metadata", `{"__metadata__":null}`, 0, 0},
		{"unknown field of a tensor", one(`"dtype":"U8","shape":[2],"data_offsets":[0,2],"extra":{"x":[1,{}]}`), 2, 1},
		{"8-bit float", one(`"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]`), 2, 1},
		{"complex", one(`"dtype":"C64","shape":[2],"data_offsets":[0,16]`), 16, 1},
		{"4-bit float", one(`"dtype":"F4","shape":[2,3],"data_offsets":[0,3]`), 3, 1},
		{"6-bit float", one(`"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]`), 3, 1},
		{"array of the three", `{"w":["U8",[2],[0,2]]}`, 2, 1},
		{"dtype as an object", one(`"dtype":{"U8":null},"shape":[2],"data_offsets":[0,2]`), 2, 1},
		{"keys in any order", one(`"data_offsets":[0,2],"shape":[2],"dtype":"BOOL"`), 2, 1},
		{"misaligned", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}`, 5, 2},
		{"empty tensor between", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[0],"data_offsets":[1,1]},"c":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2, 3},
		{"surrogate pair", `{"\ud83c\udfb5":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1, 1},
		{"escaped backslash", `{"\\ud83c":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := parseHeader([]byte(file(c.header, c.data)))
			if err != nil {
				t.Fatal(err)
			}
			if len(h.entries) != c.tensors {
				t.Errorf("%d tensors, want %d", len(h.entries), c.tensors)
			}
		})
	}
}

func TestHeaderRefuses(t *testing.T) {
	const w = `"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}`
	deep := strings.Repeat("[", 20000)
	for _, c := range []struct {
		name, rule, header string
		data               int
		text               string
	}{
		{"no object", RuleJSON, `[]`, 0, "does not start with {"},
		{"null", RuleJSON, `null`, 0, "does not start with {"},
		{"only space", RuleJSON, `   `, 0, "does not start with {"},
		{"byte order mark", RuleJSON, "\ufeff{}", 0, "does not start with {"},
		{"no text", RuleJSON, ``, 0, "does not start with {"},
		{"invalid UTF-8", RuleUTF8, "{\"\xff\":1}", 0, "UTF-8"},
		{"half a surrogate pair", RuleUTF8, `{"\ud83c":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1, "surrogate"},
		{"second half alone", RuleUTF8, `{"\udfb5x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1, "surrogate"},
		{"cut off", RuleJSON, `{"w":{"dtype":`, 0, "not valid JSON"},
		{"trailing comma", RuleJSON, `{` + w + `,}`, 2, "not valid JSON"},
		{"wrong bracket", RuleJSON, `{` + w + `]`, 2, "not valid JSON"},
		{"something after", RuleJSON, `{} {}`, 0, "after its closing }"},
		{"garbage after", RuleJSON, `{} x`, 0, "after its closing }"},
		{"tensor twice", RuleDuplicateKey, `{` + w + `,` + w + `}`, 2, `key "w" appears twice`},
		{"tensor twice by escape", RuleDuplicateKey, `{` + w + `,` + strings.Replace(w, `"w"`, `"\u0077"`, 1) + `}`, 2, `key "w" appears twice`},
		{"field twice", RuleDuplicateKey, one(`"dtype":"U8","dtype":"I8","shape":[2],"data_offsets":[0,2]`), 2, `tensor "w": key "dtype" appears twice`},
		{"metadata twice", RuleDuplicateKey, `{"__metadata__":{},"__metadata__":{}}`, 0, "appears twice"},
		{"metadata key twice", RuleDuplicateKey, `{"__metadata__":{"a":"1","a":"2"}}`, 0, `__metadata__: key "a" appears twice`},
		{"metadata number", RuleMetadata, `{"__metadata__":{"a":1}}`, 0, `__metadata__: "a": 1 where a string`},
		{"metadata list", RuleMetadata, `{"__metadata__":[]}`, 0, "__metadata__: [ where an object"},
		{"tensor is no object", RuleEntry, `{"w":3}`, 0, `tensor "w": 3 where an object`},
		{"no dtype", RuleEntry, one(`"shape":[2],"data_offsets":[0,2]`), 2, `tensor "w": no dtype`},
		{"no shape", RuleEntry, one(`"dtype":"U8","data_offsets":[0,2]`), 2, `tensor "w": no shape`},
		{"null shape", RuleShape, one(`"dtype":"U8","shape":null,"data_offsets":[0,2]`), 2, `tensor "w": shape:`},
		{"no offsets", RuleEntry, one(`"dtype":"U8","shape":[2]`), 2, "no data_offsets"},
		{"three offsets", RuleOffsets, one(`"dtype":"U8","shape":[2],"data_offsets":[0,2,2]`), 2, "data_offsets has 3 numbers, want 2"},
		{"unknown dtype", RuleDType, one(`"dtype":"F8","shape":[2],"data_offsets":[0,1]`), 1, `dtype "F8" is not known`},
		{"dtype is a number", RuleDType, one(`"dtype":4,"shape":[2],"data_offsets":[0,1]`), 1, `dtype: 4 where a string`},
		{"negative dimension", RuleShape, one(`"dtype":"U8","shape":[-2],"data_offsets":[0,2]`), 2, "-2 where a whole number"},
		{"fraction", RuleShape, one(`"dtype":"U8","shape":[2.0],"data_offsets":[0,2]`), 2, "2.0 where a whole number"},
		{"exponent", RuleShape, one(`"dtype":"U8","shape":[2e0],"data_offsets":[0,2]`), 2, "2e0 where a whole number"},
		{"dimension too large", RuleShape, one(`"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,2]`), 2, "below 2^63"},
		{"shape overflows", RuleShapeOverflow, one(`"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]`), 0, "overflows"},
		{"bytes overflow", RuleShapeOverflow, one(`"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]`), 0, "overflows"},
		{"offsets reversed", RuleOffsets, one(`"dtype":"U8","shape":[2],"data_offsets":[2,0]`), 2, "want the first not above the second"},
		{"size differs from shape", RuleSize, one(`"dtype":"F32","shape":[2],"data_offsets":[0,4]`), 4, "hold 4 bytes, want 8 for F32 [2]"},
		{"truncated data", RuleTruncated, one(`"dtype":"U8","shape":[4],"data_offsets":[0,4]`), 3, `truncated: tensor "w" ends at byte 4 of the data, which has 3`},
		{"trailing data", RuleTrailing, `{` + w + `}`, 3, "trailing data: the tensors end at byte 2 of the data, which has 3"},
		{"data without tensors", RuleTrailing, `{}`, 1, "trailing data"},
		{"hole at the start", RuleHole, one(`"dtype":"U8","shape":[2],"data_offsets":[1,3]`), 3, `hole: no tensor owns bytes [0 1)`},
		{"hole", RuleHole, `{` + w + `,"x":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}`, 4, `hole: no tensor owns bytes [2 3) of the data, before tensor "x"`},
		{"overlap", RuleOverlap, `{` + w + `,"x":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3, `overlap: tensor "x" starts at byte 1`},
		{"same bytes twice", RuleOverlap, `{` + w + `,"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 2, `overlap: tensor "x"`},
		{"half a byte", RuleSubByte, one(`"dtype":"F4","shape":[3],"data_offsets":[0,1]`), 1, "does not fill whole bytes"},
		{"number out of range", RuleJSON, one(`"x":1e999`), 0, "1e999 is beyond the range of numbers"},
		{"array of four", RuleEntry, `{"w":["U8",[2],[0,2],1]}`, 2, "an array of more than"},
		{"dtype of two", RuleDType, one(`"dtype":{"U8":null,"I8":null},"shape":[2],"data_offsets":[0,2]`), 2, "dtype: an object of 2 keys"},
		{"dtype with a value", RuleDType, one(`"dtype":{"U8":1},"shape":[2],"data_offsets":[0,2]`), 2, `dtype: "U8": 1 where null is wanted`},
		{"deep nesting", RuleDepth, one(`"x":` + deep), 0, "nest more than 127 deep"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseHeader([]byte(file(c.header, c.data)))
			if !errors.Is(err, ErrInvalid) || !contains(err, c.text) || Rule(err) != c.rule {
				t.Errorf("error %v of rule %q, want one of %q that says %q", err, Rule(err), c.rule, c.text)
			}
		})
	}
}

func TestHeaderLength(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
	}{
		{"empty", "", "truncated: 0 bytes, want at least 8"},
		{"7 bytes", "\x02\x00\x00\x00\x00\x00\x00", "truncated: 7 bytes"},
		{"no header", "\x02\x00\x00\x00\x00\x00\x00\x00{", "truncated: header length 2, but only 1 bytes follow"},
		{"too long", "\x01\xe1\xf5\x05\x00\x00\x00\x00{}", "header length 100000001, want at most 100000000"},
		{"huge", "\xff\xff\xff\xff\xff\xff\xff\xff{}", "want at most 100000000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parseHeader([]byte(c.file)); !errors.Is(err, ErrInvalid) || !contains(err, c.text) {
				t.Errorf("error %v, want one that says %q", err, c.text)
			}
		})
	}
}

// What formatHeader spells, both readers read back.
func TestHeaderRoundTrip(t *testing.T) {
	entries := []entry{
		{Info{"z", F32, []int{2, 1}}, 0, 8},
		{Info{`a "b" <é> \`, BF16, []int{}}, 8, 10},
		{Info{"\u2028\x00", F8E5M2, []int{0}}, 10, 10},
	}
	metadata := map[string]string{"b": "2", "a": "<1>", "": "\n"}
	text := formatHeader(entries, metadata)
	if len(text)%8 != 0 || text[0] != '{' {
		t.Errorf("header %q: want a length that 8 divides and { first", text)
	}
	h, err := parseHeader([]byte(file(string(text), 10)))
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range entries {
		got := h.entries[i]
		if got.Name != e.Name || got.DType != e.DType || len(got.Shape) != len(e.Shape) || got.begin != e.begin || got.end != e.end {
			t.Errorf("entry %d is %v, want %v", i, got, e)
		}
	}
	for key, value := range metadata {
		if h.metadata[key] != value {
			t.Errorf("metadata %q is %q, want %q", key, h.metadata[key], value)
		}
	}
}

// Any header that parses stays within its file and can be spelled again.
func FuzzHeader(f *testing.F) {
	for i, seed := range []string{
		`{}`, ` {"__metadata__":{"a":"b"}}`, one(`"dtype":"F32","shape":[],"data_offsets":[0,4]`),
		one(`"dtype":"F8_E4M3","shape":[2,2],"data_offsets":[0,4],"x":null`), `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\ud83c":{}}`,
		one(`"dtype":"F32","shape":[` + strconv.Itoa(1<<62) + `],"data_offsets":[0,4]`),
	} {
		f.Add([]byte(file(seed, 4*(i%4))))
	}
	for i, c := range hostileCases(f) {
		if i%10 == 0 && len(c.file) < 1000 {
			f.Add(c.file)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := parseHeader(data)
		if err != nil {
			if rule := Rule(err); rule == "" || rule == RuleOtherBrokenRule || rule == RuleReaders {
				t.Fatalf("error %v: rule %q, want one of the format's", err, rule)
			}
			return
		}
		end := int64(0)
		for _, e := range h.entries {
			if e.begin != end || e.end-e.begin != e.Bytes() {
				t.Fatalf("tensor %v at [%d %d) after %d", e.Info, e.begin, e.end, end)
			}
			end = e.end
		}
		if h.data+end != int64(len(data)) {
			t.Fatalf("tensors end at %d of %d", h.data+end, len(data))
		}
		again, err := parseHeader([]byte(file(string(formatHeader(h.entries, h.metadata)), int(end))))
		if err != nil || len(again.entries) != len(h.entries) {
			t.Fatalf("spelled again: %v, %v", again, err)
		}
	})
}
