package torchfile

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

type refusal struct {
	name string
	file []byte
	rule string
	text string
}

// check wants each file refused by its rule, with a short message that says what.
func check(t *testing.T, cases []refusal) {
	t.Helper()
	for _, c := range cases {
		tensors, err := Parse(c.file)
		e := (*Error)(nil)
		if tensors != nil || !errors.As(err, &e) || e.Rule != c.rule || !strings.Contains(e.Text, c.text) {
			t.Errorf("%s: %d tensors, rule %q, %v; want rule %q, %q", c.name, len(tensors), ruleOf(err), err, c.rule, c.text)
		}
		if err != nil && (len(err.Error()) > 3000 || strings.ContainsAny(err.Error(), "\n\r\x00")) {
			t.Errorf("%s: a message of %d bytes: %q", c.name, len(err.Error()), err)
		}
	}
}

func ruleOf(err error) string {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Rule
	}
	return ""
}

func TestRefusesContainers(t *testing.T) {
	w := legacyFloats("k", 1, "N")
	key := "]" + str("k") + "a"
	check(t, []refusal{
		{"empty", nil, RuleContainer, "neither a zip archive nor a pickle"},
		{"pointer to a large file", []byte("version https://git-lfs.github.com/spec/v1\n"), RuleContainer, "neither"},
		{"safetensors", []byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"), RuleContainer, "neither"},
		{"plain pickle", []byte(proto + pairsOf("w", num(1)) + "."), RuleContainer, "without its magic number"},
		{"pickle of protocol 0", read(t, "protocol0.bin"), RulePickle, "opcode 0x70 at byte"},
		{"another archive", packed("a/b.txt", "x"), RuleContainer, `no "a/data.pkl"`},
		{"entries in no folder", packed("data.pkl", proto+"}."), RuleContainer, "the archive has no"},
		{"pickle in another folder", packed("a/version", "3\n", "b/data.pkl", proto+"}."), RuleContainer, `no "a/data.pkl"`},
		{"script", packed("a/data.pkl", proto+"}.", "a/constants.pkl", proto+")."), RuleContainer, "TorchScript"},
		{"script with code", read(t, "script.bin"), RuleCompressed, "code/__torch__"},
		{"deflated", read(t, "deflated.bin"), RuleCompressed, `"small/data.pkl": method 8`},
		{"high byte first", read(t, "bigendian.bin"), RuleByteOrder, `"big"`},
		{"legacy, high byte first", legacyOf(1001, "\x89", pairsOf("w", w), key, le64(1)+"abcd"), RuleByteOrder, "high byte first"},
		{"legacy, version", legacyOf(1002, "\x88", pairsOf("w", w), key, le64(1)+"abcd"), RuleContainer, "version 1002, want 1001"},
		{"legacy, no keys", legacy(pairsOf("w", w), "N", ""), RuleStorage, "storage keys: None"},
		{"legacy, key of no storage", legacy(pairsOf("w", w), "]"+str("z")+"a", ""), RuleStorage, `"z": no tensor has it`},
		{"legacy, key that is a number", legacy(pairsOf("w", w), "]K\x01a", ""), RuleStorage, "key 1"},
		{"legacy, key missing", legacy(pairsOf("w", w), "]", ""), RuleStorage, `"k": not among the file's storages`},
		{"legacy, key twice", legacy(pairsOf("w", w), "]("+str("k")+str("k")+"e", le64(1)+"abcd"+le64(1)+"abcd"), RuleStorage, "listed twice"},
		{"legacy, other count", legacy(pairsOf("w", w), key, le64(2)+"abcdefgh"), RuleStorage, "2 elements, want 1"},
		{"legacy, huge count", legacy(pairsOf("w", legacyFloats("k", 1<<62, "N")), key, le64(1<<62)+"abcd"), RuleStorage, "truncated"},
		{"legacy, cut in the count", legacy(pairsOf("w", w), key, "\x01"), RuleStorage, "truncated"},
		{"legacy, cut in the elements", legacy(pairsOf("w", w), key, le64(1)+"abc"), RuleStorage, "only 3 bytes follow"},
		{"legacy, more", legacy(pairsOf("w", w), key, le64(1)+"abcdx"), RuleStorage, "1 bytes after the last storage"},
		{"legacy, unknown element size", legacy(pairsOf("w", rebuilt("("+str("storage")+name("torch FooStorage")+str("k")+str("cpu")+num(1)+"NtQ", 0, nums(1), nums(1))), key, le64(1)+"abcd"), RuleDType, "torch.FooStorage"},
		{"legacy, part outside", legacy(pairsOf("w", legacyFloats("k", 1, "("+str("v")+num(1)+num(1)+"t")), key, le64(1)+"abcd"), RulePickle, "not inside of its 1 elements"},
		{"legacy, part negative", legacy(pairsOf("w", legacyFloats("k", 1, "("+str("v")+num(-1)+num(1)+"t")), key, le64(1)+"abcd"), RulePickle, "not inside"},
		{"legacy, part overflows", legacy(pairsOf("w", legacyFloats("k", 1, "("+str("v")+num(1<<62)+num(1<<62)+"t")), key, le64(1)+"abcd"), RulePickle, "not inside"},
		{"legacy, part of two", legacy(pairsOf("w", legacyFloats("k", 1, "("+str("v")+num(1)+"t")), key, le64(1)+"abcd"), RulePickle, "not inside"},
	})
}

func TestRefusesArchives(t *testing.T) {
	small := read(t, "small.bin") // 64-bit records before an end record of 22 bytes: locator of 20, record of 56
	short := read(t, "small-zip32.bin")
	central := bytes.Index(small, []byte(centralSignature))
	twice := packed("a/data.pkl", proto+"}.", "a/data/0", "", "a/data/0", "")
	check(t, []refusal{
		{"cut", small[:len(small)-1], RuleZip, "end record"},
		{"cut before the end record", small[:len(small)-22], RuleZip, "end record is missing"},
		{"only a signature", []byte(localSignature), RuleZip, "end record is missing"},
		{"something after it", append(bytes.Clone(small), 'x'), RuleZip, "not at the end of the file"},
		{"one of several", patched(small, -18, "\x01\x00"), RuleZip, "one part of several"},
		{"locator beyond", patched(small, -34, le64(-1)), RuleZip, "64-bit end record is not at byte 18446744073709551615"},
		{"locator elsewhere", patched(small, -34, le64(7)), RuleZip, "64-bit end record is not at byte 7"},
		{"end records disagree", patched(small, -10, le32(5)), RuleZip, "two end records disagree"},
		{"huge count", patched(patched(small, -98+32, le64(-1)), -12, "\xff\xff"), RuleZip, "18446744073709551615 archive entries in a directory"},
		{"more entries than there are", patched(patched(small, -98+32, le64(9)), -12, "\xff\xff"), RuleZip, "not an entry"},
		{"fewer entries than there are", patched(patched(small, -98+32, le64(2)), -12, "\xff\xff"), RuleZip, "after its last entry"},
		{"huge directory", patched(patched(small, -98+40, le64(-1)), -10, "\xff\xff\xff\xff"), RuleZip, "archive directory of 18446744073709551615 bytes"},
		{"directory elsewhere", patched(patched(small, -98+48, le64(8)), -6, "\xff\xff\xff\xff"), RuleZip, "at byte 8, want it to end"},
		{"directory elsewhere, 32 bits", patched(short, -6, le32(3)), RuleZip, "at byte 3, want it to end"},
		{"no entry", patched(small, central, "XX"), RuleZip, "not an entry"},
		{"name longer than the directory", patched(small, central+28, "\xff\xff"), RuleZip, "truncated in an entry's name"},
		{"encrypted", patched(small, central+8, "\x01"), RuleCompressed, "flags 0x8"},
		{"compressed by the local header alone", patched(small, 8, "\x08"), RuleCompressed, "by its local header"},
		{"stored as fewer bytes", patched(small, central+20, le32(1)), RuleZip, "bytes stored as 1"},
		{"longer than the entries", patched(patched(small, central+20, le32(1<<20)), central+24, le32(1<<20)), RuleZip, "1048576 bytes at byte"},
		{"longest", patched(patched(small, central+20, "\xfe\xff\xff\xff"), central+24, "\xfe\xff\xff\xff"), RuleZip, "4294967294 bytes at byte"},
		{"local header elsewhere", patched(small, central+42, le32(3)), RuleZip, "no local header at byte 3"},
		{"local header beyond", patched(small, central+42, "\xfe\xff\xff\xff"), RuleZip, "no local header at byte 4294967294"},
		{"other name in the local header", patched(small, 30, "x"), RuleZip, "another name"},
		{"long name in the local header", patched(small, 26, "\xff\xff"), RuleZip, "another name"},
		{"name twice", twice, RuleZip, `"a/data/0": appears twice`},
		{"same bytes under two names", sameBytes(), RuleZip, "entries overlap"},
		{"bytes before the first entry", packedAfter(localSignature, "a/data.pkl", proto+"}."), RuleZip, "first entry is not at the start"},
		{"no entries", packed(), RuleContainer, "neither"},
		{"bytes after the pickle", archive(proto + "}.x"), RulePickle, "1 bytes after the end"},
	})
}

// sameBytes is an archive with an entry inside of another: the pickle holds a local header, and the directory's second record
// points at that.
func sameBytes() []byte {
	inner := localSignature + strings.Repeat("\x00", 22) + "\x08\x00\x00\x00a/data/0"
	file := packed("a/data.pkl", proto+"C"+string(rune(len(inner)))+inner+"0}.", "a/data/0", "")
	return patched(file, bytes.LastIndex(file, []byte(centralSignature+"\x14"))+42, le32(bytes.Index(file, []byte(inner))))
}
