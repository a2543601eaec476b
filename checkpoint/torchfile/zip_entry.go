package torchfile

import (
	"bytes"
	"encoding/binary"
	"math"
)

// zipEntry is one record of an archive's directory.
type zipEntry struct {
	name   []byte
	header uint64 // where its local header is
	size   uint64
}

// readCentral takes one record off the directory.
func readCentral(rest *[]byte) (e zipEntry, err error) {
	r := *rest
	if len(r) < centralLength || string(r[:4]) != centralSignature {
		return e, broken(RuleZip, "archive directory: truncated, or not an entry")
	}
	u16 := func(i int) int { return int(binary.LittleEndian.Uint16(r[i:])) }
	u32 := func(i int) uint64 { return uint64(binary.LittleEndian.Uint32(r[i:])) }
	name, extra, comment := u16(28), u16(30), u16(32)
	if len(r)-centralLength < name+extra+comment {
		return e, broken(RuleZip, "archive directory: truncated in an entry's name")
	}
	*rest = r[centralLength+name+extra+comment:]
	e.name = r[centralLength : centralLength+name]
	if flags, method := u16(8), u16(10); method != 0 || flags&1 != 0 {
		return e, broken(RuleCompressed, "archive entry %s: method %d, flags %#x: compressed or encrypted, want it stored, as torch.save does", quoted(e.name), method, flags)
	}
	stored := u32(20)
	e.size, e.header = u32(24), u32(42)
	wide := []*uint64{&e.size, &stored, &e.header} // in the order of the 64-bit extra field, which has those that are masked
	for field := r[centralLength+name : centralLength+name+extra]; len(field) >= 4; {
		id, n := binary.LittleEndian.Uint16(field), int(binary.LittleEndian.Uint16(field[2:]))
		if len(field)-4 < n {
			break
		}
		if body := field[4 : 4+n]; id == 1 {
			for _, w := range wide {
				if *w == math.MaxUint32 && len(body) >= 8 {
					*w, body = binary.LittleEndian.Uint64(body), body[8:]
				}
			}
			wide = nil
		}
		field = field[4+n:]
	}
	if stored != e.size {
		return e, broken(RuleZip, "archive entry %s: %d bytes stored as %d", quoted(e.name), e.size, stored)
	}
	return e, nil
}

// locate finds an entry's bytes behind its local header, inside of what comes before the directory.
func (e zipEntry) locate(data []byte) (begin, end uint64, err error) {
	room := uint64(len(data))
	if e.header > room || room-e.header < localLength || string(data[e.header:e.header+4]) != localSignature {
		return 0, 0, broken(RuleZip, "archive entry %s: no local header at byte %d", quoted(e.name), e.header)
	}
	h := data[e.header:]
	name, extra := uint64(binary.LittleEndian.Uint16(h[26:])), uint64(binary.LittleEndian.Uint16(h[28:]))
	if uint64(len(h)) < localLength+name+extra || !bytes.Equal(h[localLength:localLength+name], e.name) {
		return 0, 0, broken(RuleZip, "archive entry %s: its local header has another name", quoted(e.name))
	}
	if binary.LittleEndian.Uint16(h[8:]) != 0 || h[6]&1 != 0 {
		return 0, 0, broken(RuleCompressed, "archive entry %s: compressed or encrypted by its local header, want it stored, as torch.save does", quoted(e.name))
	}
	begin = e.header + localLength + name + extra
	if e.size > room-begin {
		return 0, 0, broken(RuleZip, "archive entry %s: %d bytes at byte %d, but the entries end at byte %d", quoted(e.name), e.size, begin, room)
	}
	return begin, begin + e.size, nil
}
