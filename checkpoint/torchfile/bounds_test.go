package torchfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// What Parse may allocate, those bytes included that it gives back: so much for a byte of the file (an empty dictionary is one
// byte; it takes 48, and its place on a stack that grows fourfold 37), and for any file.
const (
	perByte = 96
	perFile = 64 << 10
)

// checkFile parses any file and holds the outcome against what is promised.
func checkFile(t *testing.T, name string, file []byte) (parsed bool) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	tensors, err := Parse(file)
	runtime.ReadMemStats(&after)
	most := uint64(perFile + perByte*len(file))
	if got := after.TotalAlloc - before.TotalAlloc; got > most {
		t.Errorf("%s: %d bytes allocated for a file of %d, want at most %d", name, got, len(file), most)
	}
	runtime.ReadMemStats(&before)
	if _, _, err := Labels(file); err != nil && !errors.As(err, new(*Error)) {
		t.Errorf("%s: labels: %v, want an Error", name, err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > most {
		t.Errorf("%s: %d bytes allocated for the labels of a file of %d, want at most %d", name, got, len(file), most)
	}
	if err != nil {
		if e := (*Error)(nil); !errors.As(err, &e) || e.Rule == "" || e.Text == "" || tensors != nil || len(e.Text) > 3000 {
			t.Errorf("%s: error %v with %d tensors, want one that names a rule, and none", name, err, len(tensors))
		}
		return false
	}
	names := map[string]bool{}
	for i := range tensors {
		tensor := &tensors[i]
		n := tensor.size
		for _, d := range tensor.Shape {
			n *= d
		}
		if n > len(file) || tensor.Bytes != nil && len(tensor.Bytes) != n || names[tensor.Name] {
			t.Fatalf("%s: %q: %s %d of %d bytes in a file of %d", name, tensor.Name, tensor.DType, tensor.Shape, len(tensor.Bytes), len(file))
		}
		names[tensor.Name] = true
		tensor.Gather(make([]byte, n), 0) // within the file, or it panics
	}
	return true
}

// Files made to cost more than they are long.
func TestBombs(t *testing.T) {
	const n = 1_000_000
	four := strings.Repeat("\x00", 16)
	times := strings.Repeat
	ones := "(" + times("K\x01", 64) + "t"
	long := "X" + le32(n) + times("k", n)
	files := map[string][]byte{
		"lists in lists":                        only(times("]", n) + times("a", n-1)),
		"tuples in tuples":                      only(")" + times("\x85", n)),
		"dicts in dicts":                        only(times("}", n)),
		"dicts as values":                       only("}" + times("N}", n/3) + times("s", n/3)),
		"marks":                                 only(times("(", n)),
		"nothings":                              only(times("N", n) + times("0", n)),
		"copies":                                only("]" + times("2", n)),
		"one wide tuple":                        only("(" + times("N", n) + "t"),
		"one wide list":                         only("](" + times("N", n) + "e"),
		"list by item":                          only("]" + times("Na", n/2)),
		"dict by item":                          only("}" + times("NNs", n/3)),
		"laughs":                                only("N" + times("\x94(h\x00h\x00h\x00h\x00h\x00h\x00h\x00h\x00t", n/20)),
		"memo of everything":                    only(times("]\x94", n/2)),
		"memo index by index":                   only("]" + times("\x94", n)),
		"names":                                 only(times("c\n\n", n/3)),
		"names of a long text":                  only(long + "\x94" + times("h\x00h\x00\x93", n/5)),
		"objects":                               only(times("(i\n\n", n/4)),
		"calls":                                 only("c\n\n" + times(")R", n/2)),
		"calls of from_type":                    only(name("torch._tensor _rebuild_from_type_v2") + "q\x00" + times("h\x00", n/4) + ")" + times("h\x00N\x87R", n/5)),
		"pairs of a long list, again and again": only(name("collections OrderedDict") + "\x94](" + times("]", n) + "e\x85\x94" + times("h\x00h\x01R", n/5)),
		"storages of a long key":                only(name("torch FloatStorage") + "\x94" + long + "\x94" + str("storage") + "\x94" + times("(h\x02h\x00h\x01NNtQ", n/13)),
		"storages":                              only(name("torch FloatStorage") + "\x94" + str("storage") + "\x94" + storageBomb(n/30)),
		"one storage":                           only(name("torch FloatStorage") + "\x94" + str("storage") + "\x94" + str("0") + "\x94" + times("(h\x01h\x00h\x02NK\x01tQ", n/14)),
		"tensors of a long shape":               archive(proto+"("+times("K\x01", n/4)+"t\x94"+sharedTensors(n/40)+".", "0", four),
		"names of a tensor of many dimensions":  archive(proto+rebuilt(stored("torch FloatStorage", "0", 4), 0, ones, ones)+"\x940"+namedTensors(n/10)+".", "0", four),
		"tensors of many dimensions":            archive(proto+ones+"\x94"+sharedTensors(n/25)+".", "0", four),
		"names of tensors":                      archive(proto+floats(4)+"\x940"+namedTensors(n/10)+".", "0", four),
		"one dictionary, many times":            only(taskState("(" + object(pairsOf("symbols", "]("+times(str("k"), n/60)+"e")) + "\x94" + times("h\x00", n/4) + "e")),
		"one symbol, many times":                only(taskState("(" + object("}"+str("symbols")+"]("+long+"\x94"+times("h\x00", n/4)+"es") + "e")),
		"one object of many attributes":         only(taskState("(" + object("}("+times("NN", n/4)+"u") + "\x94" + times("h\x00", n/4) + "e")),
		"entries":                               packed(append([]string{"a/data.pkl", proto + "}."}, slices.Concat(entryNames(5000)...)...)...),
		"legacy keys":                           legacy(pairsOf("w", legacyFloats("k", 4, "N")), "]("+times(str("k"), n/6)+"e", le64(4)+four),
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		start := time.Now()
		checkFile(t, name, files[name])
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

// letters is a text of four letters, another for each number.
func letters(i int) string {
	return "X\x04\x00\x00\x00" + string([]byte{byte('0' + i>>18&63), byte('0' + i>>12&63), byte('0' + i>>6&63), byte('0' + i&63)})
}

// storageBomb is many storages of the class in memo 0.
func storageBomb(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("(h\x01h\x00" + letters(i) + "NK\x01tQ")
	}
	return b.String()
}

// sharedTensors is a dict of tensors that all have the tuple of memo 0 for their shape and strides.
func sharedTensors(n int) string {
	var b strings.Builder
	b.WriteString("0}" + stored("torch FloatStorage", "0", 4) + "\x94" + name("torch._utils _rebuild_tensor_v2") + "\x9400")
	for i := range n {
		b.WriteString(letters(i) + "h\x02(h\x01K\x00h\x00h\x00tRs")
	}
	return b.String()
}

// namedTensors is a dict of the tensor of memo 0 under many names.
func namedTensors(n int) string {
	var b strings.Builder
	b.WriteString("}(")
	for i := range n {
		b.WriteString(letters(i) + "h\x00")
	}
	return b.String() + "u"
}

func entryNames(n int) (names [][]string) {
	for i := range n {
		names = append(names, []string{"a/" + string(rune('a'+i%26)) + strings.Repeat("x", i/26), ""})
	}
	return names
}

// mutate changes a copy of a file at random: bytes, its end, pieces of another, lengths.
func mutate(r *rand.Rand, file, other []byte) []byte {
	out := bytes.Clone(file)
	for range 1 + r.IntN(4) {
		if len(out) < 16 {
			return out
		}
		at := r.IntN(len(out) - 8)
		switch r.IntN(8) {
		case 0:
			out[at] ^= 1 << r.IntN(8)
		case 1:
			out[at] = byte(r.Uint32())
		case 2:
			out = out[:at]
		case 3:
			n := r.IntN(min(len(other), 64))
			from := r.IntN(len(other) - n)
			out = slices.Concat(out[:at], other[from:from+n], out[min(len(out), at+r.IntN(64)):])
		case 4:
			binary.LittleEndian.PutUint64(out[at:], []uint64{0, 1, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1<<63 - 1, 1 << 63, 1<<64 - 1}[r.IntN(8)])
		case 5:
			binary.LittleEndian.PutUint32(out[at:], []uint32{0, 1, 1<<16 - 1, 1<<31 - 1, 1 << 31, 1<<32 - 1}[r.IntN(6)])
		case 6: // a number or text of the pickle
			if i := bytes.IndexAny(out[at:], "KMJX(tQRq"); i >= 0 {
				out[at+i] = "KMJX(tQRqh0}])Nsu."[r.IntN(18)]
			}
		case 7:
			if i := bytes.IndexByte(out[at:], 'K'); i >= 0 && at+i+1 < len(out) {
				out[at+i+1] = byte(r.Uint32())
			}
		}
	}
	return out
}

func TestMutations(t *testing.T) {
	const perGolden = 300
	r := rand.New(rand.NewPCG(4, 2))
	files := goldens(t)
	names := slices.Sorted(maps.Keys(files))
	parsed, refused := 0, 0
	for _, name := range names {
		for range perGolden {
			if checkFile(t, name, mutate(r, files[name], files[names[r.IntN(len(names))]])) {
				parsed++
			} else {
				refused++
			}
		}
	}
	if parsed < 500 || refused < 2000 {
		t.Errorf("%d mutated files parsed, %d refused: want at least 500 and 2000", parsed, refused)
	}
	t.Logf("%d mutated files parsed, %d refused", parsed, refused)
}

func FuzzTorchFile(f *testing.F) {
	for _, file := range goldens(f) {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		checkFile(t, "fuzz", file)
	})
}
