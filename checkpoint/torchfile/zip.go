package torchfile

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strings"
)

// parseZip reads PyTorch's archive: PREFIX/data.pkl is the pickle, PREFIX/data/KEY the bytes of one storage.
func parseZip(data []byte) (root value, find locate, err error) {
	records, first, err := readZip(data)
	if err != nil {
		return nil, nil, err
	}
	prefix, _, ok := strings.Cut(first, "/") // as PyTorch finds it
	program, have := records[prefix+"/data.pkl"]
	_, script := records[prefix+"/constants.pkl"]
	switch {
	case !ok || !have:
		return nil, nil, broken(RuleContainer, "not a file of torch.save: the archive has no %s", quoted(prefix+"/data.pkl"))
	case script:
		return nil, nil, broken(RuleContainer, "a TorchScript archive (it has constants.pkl), want a file of torch.save")
	}
	if order, ok := records[prefix+"/byteorder"]; ok && string(order) != "little" {
		return nil, nil, broken(RuleByteOrder, "byte order %s, want \"little\"", quoted(order))
	}
	m := &machine{data: program}
	root, err = m.run()
	if err != nil {
		return nil, nil, err
	}
	if m.pos != len(program) {
		return nil, nil, broken(RulePickle, "%d bytes after the end of data.pkl's pickle", len(program)-m.pos)
	}
	return root, func(s *storage) ([]byte, error) {
		content, ok := records[prefix+"/data/"+s.key]
		if !ok {
			return nil, broken(RuleStorage, "the archive has no %s", quoted(prefix+"/data/"+s.key))
		}
		return content, nil
	}, nil
}

// The records of a zip archive that are read. Numbers are little-endian.
const (
	localSignature   = "PK\x03\x04"
	centralSignature = "PK\x01\x02"
	endSignature     = "PK\x05\x06"
	end64Signature   = "PK\x06\x06"
	locatorSignature = "PK\x06\x07"

	localLength   = 30
	centralLength = 46
	endLength     = 22
	end64Length   = 56
	locatorLength = 20
)

// directory says where an archive's central directory is.
type directory struct{ entries, begin, length uint64 }

// readZip finds every entry of an archive, and the name of the first. All are stored; none overlaps another or has its name.
func readZip(data []byte) (records map[string][]byte, first string, err error) {
	dir, err := findDirectory(data)
	if err != nil {
		return nil, "", err
	}
	type span struct{ begin, end uint64 }
	spans := make([]span, 0, dir.entries) // at least centralLength bytes of the file for each
	records = make(map[string][]byte, dir.entries)
	rest := data[dir.begin : dir.begin+dir.length]
	for n := range dir.entries {
		e, err := readCentral(&rest)
		if err != nil {
			return nil, "", err
		}
		begin, end, err := e.locate(data[:dir.begin])
		if err != nil {
			return nil, "", err
		}
		name := string(e.name)
		if n == 0 {
			first = name
		}
		if _, ok := records[name]; ok {
			return nil, "", broken(RuleZip, "archive entry %s: appears twice", quoted(name))
		}
		records[name] = data[begin:end:end]
		spans = append(spans, span{e.header, end})
	}
	if len(rest) > 0 {
		return nil, "", broken(RuleZip, "archive directory: %d bytes after its last entry", len(rest))
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.begin, b.begin) })
	if len(spans) == 0 || spans[0].begin != 0 {
		return nil, "", broken(RuleZip, "the archive's first entry is not at the start of the file")
	}
	for i := 1; i < len(spans); i++ {
		if spans[i].begin < spans[i-1].end {
			return nil, "", broken(RuleZip, "archive entries overlap: one ends at byte %d, the next begins at byte %d", spans[i-1].end, spans[i].begin)
		}
	}
	return records, first, nil
}

// findDirectory reads the records at the end of the file. The last of them, with its comment, must end where the file ends.
func findDirectory(data []byte) (d directory, err error) {
	tail := data[max(0, len(data)-endLength-math.MaxUint16):]
	at := bytes.LastIndex(tail, []byte(endSignature))
	if at < 0 || len(tail)-at < endLength {
		return d, broken(RuleZip, "truncated: the archive's end record is missing")
	}
	end := tail[at:]
	at += len(data) - len(tail)
	u16 := func(i int) uint64 { return uint64(binary.LittleEndian.Uint16(end[i:])) }
	u32 := func(i int) uint64 { return uint64(binary.LittleEndian.Uint32(end[i:])) }
	if u16(20) != uint64(len(end)-endLength) {
		return d, broken(RuleZip, "the archive's end record is not at the end of the file")
	}
	if u16(4) != 0 && u16(4) != math.MaxUint16 || u16(6) != 0 && u16(6) != math.MaxUint16 {
		return d, broken(RuleZip, "the archive is one part of several")
	}
	d = directory{u16(10), u32(16), u32(12)}
	limit := uint64(at)
	if locator := at - locatorLength; locator >= 0 && string(data[locator:locator+4]) == locatorSignature {
		pos := binary.LittleEndian.Uint64(data[locator+8:])
		if pos > uint64(locator) || uint64(locator)-pos < end64Length || string(data[pos:pos+4]) != end64Signature {
			return d, broken(RuleZip, "the archive's 64-bit end record is not at byte %d, where its locator puts it", pos)
		}
		long := data[pos:]
		wide := directory{binary.LittleEndian.Uint64(long[32:]), binary.LittleEndian.Uint64(long[48:]), binary.LittleEndian.Uint64(long[40:])}
		if !sameOrMasked(d.entries, wide.entries, math.MaxUint16) || !sameOrMasked(d.begin, wide.begin, math.MaxUint32) || !sameOrMasked(d.length, wide.length, math.MaxUint32) {
			return d, broken(RuleZip, "the archive's two end records disagree")
		}
		d, limit = wide, pos
	}
	if d.begin > limit || d.length != limit-d.begin {
		return d, broken(RuleZip, "archive directory of %d bytes at byte %d, want it to end at byte %d", d.length, d.begin, limit)
	}
	if d.entries > d.length/centralLength {
		return d, broken(RuleZip, "%d archive entries in a directory of %d bytes", d.entries, d.length)
	}
	return d, nil
}

// sameOrMasked tells whether a short field says what the long one does, or with all bits set that the long one counts.
func sameOrMasked(short, long, mask uint64) bool { return short == long || short == mask }
