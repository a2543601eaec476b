package torchfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// Pickles made by hand, opcode by opcode.

const proto = "\x80\x02"

func le32(n int) string { return string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
func le64(n int) string { return string(binary.LittleEndian.AppendUint64(nil, uint64(n))) }

func str(s string) string { return "X" + le32(len(s)) + s }

// num is a number of any size.
func num(n int) string { return "\x8a\x08" + le64(n) }

func nums(n ...int) string {
	var b strings.Builder
	b.WriteString("(")
	for _, n := range n {
		b.WriteString(num(n))
	}
	return b.String() + "t"
}

// name is a global: "torch FloatStorage".
func name(s string) string { return "c" + strings.Replace(s, " ", "\n", 1) + "\n" }

// called is what a function makes of arguments.
func called(function string, args ...string) string {
	return name(function) + "(" + strings.Join(args, "") + "tR"
}

// stored is a storage of the archive.
func stored(class, key string, n int) string {
	return "(" + str("storage") + name(class) + str(key) + str("cpu") + num(n) + "tQ"
}

// rebuilt is a tensor.
func rebuilt(storage string, offset int, shape, strides string) string {
	return called("torch._utils _rebuild_tensor_v2", storage, num(offset), shape, strides, "\x89", called("collections OrderedDict"))
}

// floats is a tensor of n numbers with storage 0.
func floats(n int) string { return rebuilt(stored("torch FloatStorage", "0", n), 0, nums(n), nums(1)) }

// pairsOf is a dictionary: keys as text, values as pickled.
func pairsOf(pairs ...string) string {
	s := "}("
	for i, p := range pairs {
		if i%2 == 0 {
			p = str(p)
		}
		s += p
	}
	return s + "u"
}

// archive is a file of torch.save with a pickle and entries: names below data/ and contents.
func archive(pickle string, entries ...string) []byte {
	all := []string{"a/data.pkl", pickle}
	for i, e := range entries {
		if i%2 == 0 {
			e = "a/data/" + e
		}
		all = append(all, e)
	}
	return packed(all...)
}

// packed is a zip archive of names and contents.
func packed(entries ...string) []byte { return packedAfter("", entries...) }

// packedAfter is an archive behind something else, which its offsets count.
func packedAfter(before string, entries ...string) []byte {
	var b bytes.Buffer
	b.WriteString(before)
	w := zip.NewWriter(&b)
	w.SetOffset(int64(len(before)))
	for i := 0; i < len(entries); i += 2 {
		f, err := w.CreateHeader(&zip.FileHeader{Name: entries[i]})
		if err == nil {
			_, err = f.Write([]byte(entries[i+1]))
		}
		if err != nil {
			panic(err) // a buffer takes everything
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// model is an archive whose one dictionary has what is given and storage 0 with 4 floats.
func model(pairs ...string) []byte {
	return archive(proto+pairsOf(pairs...)+".", "0", strings.Repeat("\x00", 16))
}

// only is an archive whose pickle is an op sequence before an empty dictionary.
func only(ops string) []byte { return archive(proto + ops + ".") }

// legacy is a file of the old container: contents, keys, and the rest as it is.
func legacy(root, keys, rest string) []byte {
	return legacyOf(1001, "\x88", root, keys, rest)
}

func legacyOf(version int, little, root, keys, rest string) []byte {
	return []byte(proto + "\x8a\x0a" + magic + "." + proto + num(version) + "." + proto + pairsOf("little_endian", little) + "." +
		proto + root + "." + proto + keys + "." + rest)
}

// legacyFloats is a tensor with a storage of the old container.
func legacyFloats(key string, n int, view string) string {
	storage := "(" + str("storage") + name("torch FloatStorage") + str(key) + str("cpu") + num(n) + view + "tQ"
	return rebuilt(storage, 0, nums(n), nums(1))
}

// patched is a copy with bytes changed, from the end where at is negative.
func patched(data []byte, at int, with string) []byte {
	if at < 0 {
		at += len(data)
	}
	if at < 0 || at+len(with) > len(data) {
		panic(fmt.Sprintf("patch at %d of %d bytes", at, len(data)))
	}
	out := bytes.Clone(data)
	copy(out[at:], with)
	return out
}
