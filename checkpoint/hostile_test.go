package checkpoint

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
)

// hostileCase is one file of testdata/hostile.json.gz, which testdata/hostile.py makes.
type hostileCase struct {
	name  string
	file  []byte
	read  []hostileTensor // what the Rust reference reads, nil where it refuses
	flags []string
}

type hostileTensor struct {
	name, dtype string
	shape       []int
	digest      string
}

// hostileCases reads the list. JSON arrays keep it small.
func hostileCases(t testing.TB) []hostileCase {
	t.Helper()
	packed, err := os.ReadFile("testdata/hostile.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Reference string
		Cases     [][4]json.RawMessage
	}
	if err := json.NewDecoder(r).Decode(&list); err != nil {
		t.Fatal(err)
	}
	if list.Reference != "safetensors 0.8.0" {
		t.Fatalf("verdicts of %q, want those of safetensors 0.8.0", list.Reference)
	}
	get := func(from json.RawMessage, into any) {
		if err := json.Unmarshal(from, into); err != nil {
			t.Fatal(err)
		}
	}
	cases := make([]hostileCase, len(list.Cases))
	for i, raw := range list.Cases {
		c := &cases[i]
		var read [][4]json.RawMessage
		get(raw[0], &c.name)
		get(raw[1], &c.file)
		get(raw[2], &read)
		get(raw[3], &c.flags)
		if read != nil {
			c.read = make([]hostileTensor, len(read))
		}
		for k, fields := range read {
			get(fields[0], &c.read[k].name)
			get(fields[1], &c.read[k].dtype)
			get(fields[2], &c.read[k].shape)
			get(fields[3], &c.read[k].digest)
		}
	}
	return cases
}

// Files that break the format, or nearly, are judged as the Rust reference judges them; what both accept, both read alike.
// Only a key twice and dimensions that no int64 holds are refused besides.
func TestHostileFilesAgreeWithTheReference(t *testing.T) {
	cases := hostileCases(t)
	accepted, refused := 0, 0
	rules := map[string]int{}
	path := filepath.Join(t.TempDir(), "m.safetensors")
	for _, c := range cases {
		if err := os.WriteFile(path, c.file, 0o666); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		m, err := Open(path)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: took %v", c.name, took)
		}
		want := c.read != nil && len(c.flags) == 0
		if (err == nil) != want {
			t.Errorf("%s: error %v, want one: %v", c.name, err, !want)
		}
		if err != nil {
			refused++
			rules[Rule(err)]++
			switch rule := Rule(err); {
			case !errors.Is(err, ErrInvalid) || rule == RuleOtherBrokenRule || rule == RuleReaders:
				t.Errorf("%s: rule %q of error %v, want one of the format's", c.name, rule, err)
			case slices.Contains(c.flags, "duplicate") && rule != RuleDuplicateKey, slices.Contains(c.flags, "beyond") && rule != RuleShape:
				t.Errorf("%s: rule %q, want that of %v", c.name, rule, c.flags)
			case len(err.Error()) > 1000:
				t.Errorf("%s: a message of %d bytes", c.name, len(err.Error()))
			}
			continue
		}
		accepted++
		checkHostile(t, c, m)
		m.Close()
	}
	if len(cases) < 1400 || accepted < 300 || refused < 1000 {
		t.Errorf("%d cases, %d accepted, %d refused: want at least 1400, 300 and 1000", len(cases), accepted, refused)
	}
	for _, rule := range []string{RuleTruncated, RuleHeaderLength, RuleUTF8, RuleJSON, RuleDepth, RuleDuplicateKey, RuleMetadata, RuleEntry, RuleDType,
		RuleShape, RuleShapeOverflow, RuleSubByte, RuleOffsets, RuleSize, RuleHole, RuleOverlap, RuleTrailing} {
		if rules[rule] < 2 {
			t.Errorf("%d cases break the rule %q, want at least 2", rules[rule], rule)
		}
	}
}

// checkHostile compares a file's contents with what the reference read.
func checkHostile(t *testing.T, c hostileCase, m *Model) {
	t.Helper()
	if len(m.Tensors()) != len(c.read) {
		t.Errorf("%s: %d tensors, want %d", c.name, len(m.Tensors()), len(c.read))
		return
	}
	for i, info := range m.Tensors() {
		raw, err := m.Raw(info.Name)
		sum := sha256.Sum256(raw)
		got := hostileTensor{info.Name, string(info.DType), info.Shape, hex.EncodeToString(sum[:6])}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(c.read[i]) || int64(len(raw)) != info.Bytes() {
			t.Errorf("%s: read %v of %d bytes, %v; want %v", c.name, got, len(raw), err, c.read[i])
		}
	}
}

// What a header costs is bounded by its length: no number in it is trusted.
func TestHostileFilesAllocateNoMoreThanTheirHeader(t *testing.T) {
	for _, c := range hostileCases(t) {
		checkAllocation(t, c.name, c.file)
	}
	for name, text := range map[string]string{
		"a million dimensions": one(`"dtype":"U8","shape":[0` + repeat(",0", 1e6) + `],"data_offsets":[0,0]`),
		"a long name":          `{"` + repeat("w", 1e6) + `":1}`,
		"a long number":        one(`"dtype":"U8","shape":[` + repeat("9", 1e6) + `]`),
		"an unknown array":     one(`"x":[0` + repeat(",0", 1e6) + `]`),
		"many keys":            one(`"a":0` + keys(1e5, "0")),
		"many tensors":         `{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}` + keys(2e4, `{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`) + `}`,
	} {
		checkAllocation(t, name, []byte(file(text, 0)))
	}
}

// Bytes a header's byte may cost, and what a small one costs: both readers' parsed forms, their maps and lists as these grow.
const (
	perHeaderByte = 45
	perHeader     = 64 << 10
)

func checkAllocation(t *testing.T, name string, file []byte) {
	t.Helper()
	text := len(file)
	got := allocated(func() {
		if h, err := parseHeader(file); err == nil {
			text = int(h.data)
		}
	})
	if most := uint64(perHeader + perHeaderByte*text); got > most {
		t.Errorf("%s: %d bytes allocated for %d bytes of file, want at most %d", name, got, text, most)
	}
}

// allocated is how many bytes a call takes, those it gives back included.
func allocated(call func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func repeat(text string, n int) string { return string(bytes.Repeat([]byte(text), n)) }

func keys(n int, value string) string {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `,"%d":%s`, i, value)
	}
	return b.String()
}
