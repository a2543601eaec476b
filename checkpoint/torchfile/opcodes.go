package torchfile

import (
	"encoding/binary"
	"unicode/utf8"
)

// The opcodes of pickle protocols 2 to 5, as pickletools names them. Those missing are of protocols 0 and 1 (numbers and strings
// spelled as text), of the extension registry, or for buffers outside of the file.
const (
	opMark           = '('
	opStop           = '.'
	opPop            = '0'
	opPopMark        = '1'
	opDup            = '2'
	opBinFloat       = 'G'
	opBinInt         = 'J'
	opBinInt1        = 'K'
	opBinInt2        = 'M'
	opNone           = 'N'
	opBinPersID      = 'Q'
	opReduce         = 'R'
	opBinString      = 'T'
	opShortBinString = 'U'
	opBinUnicode     = 'X'
	opAppend         = 'a'
	opBuild          = 'b'
	opGlobal         = 'c'
	opAppends        = 'e'
	opBinGet         = 'h'
	opInst           = 'i'
	opLongBinGet     = 'j'
	opList           = 'l'
	opObj            = 'o'
	opBinPut         = 'q'
	opLongBinPut     = 'r'
	opSetItem        = 's'
	opTuple          = 't'
	opSetItems       = 'u'
	opDict           = 'd'
	opEmptyDict      = '}'
	opEmptyList      = ']'
	opEmptyTuple     = ')'
	opBinBytes       = 'B'
	opShortBinBytes  = 'C'

	opProto    = 0x80 // protocol 2
	opNewObj   = 0x81
	opTuple1   = 0x85
	opTuple2   = 0x86
	opTuple3   = 0x87
	opNewTrue  = 0x88
	opNewFalse = 0x89
	opLong1    = 0x8a
	opLong4    = 0x8b

	opShortBinUnicode = 0x8c // protocol 4
	opBinUnicode8     = 0x8d
	opBinBytes8       = 0x8e
	opEmptySet        = 0x8f
	opAddItems        = 0x90
	opFrozenSet       = 0x91
	opNewObjEx        = 0x92
	opStackGlobal     = 0x93
	opMemoize         = 0x94
	opFrame           = 0x95

	opByteArray8 = 0x96 // protocol 5
)

// step does one opcode.
func (m *machine) step(op byte) error {
	switch op {
	case opProto:
		if version, err := m.number(1); err != nil || version < 2 || version > 5 {
			return m.broken("protocol %d, want 2 to 5", version)
		}
		return nil
	case opFrame: // says only how much to read ahead
		n, err := m.number(8)
		if left := len(m.data) - m.pos; err == nil && n > uint64(left) {
			return m.broken("truncated: a frame of %d bytes, %d left", n, left)
		}
		return err
	case opMark:
		m.marks = append(grown(m.marks, len(m.data)-m.pos), len(m.stack))
		return nil
	case opPop:
		if len(m.marks) > 0 && m.floor() == len(m.stack) { // as Python does
			m.marks = m.marks[:len(m.marks)-1]
			return nil
		}
		_, err := m.pop()
		return err
	case opPopMark:
		_, err := m.popMark()
		return err
	case opDup:
		v, err := m.top()
		if err == nil {
			m.push(v)
		}
		return err
	case opBinPut, opLongBinPut, opBinGet, opLongBinGet, opMemoize:
		return m.remember(op)
	case opAppend, opAppends, opAddItems, opSetItem, opSetItems, opBuild:
		return m.fill(op)
	}
	v, err := m.scalar(op)
	if v == nil && err == nil {
		v, err = m.compound(op)
	}
	if err == nil {
		m.push(v)
	}
	return err
}

// remember stores in the memo, or takes out of it.
func (m *machine) remember(op byte) error {
	index, err := uint64(len(m.memo)), error(nil)
	switch op {
	case opBinPut, opBinGet:
		index, err = m.number(1)
	case opLongBinPut, opLongBinGet:
		index, err = m.number(4)
	}
	switch {
	case err != nil:
		return err
	case op == opBinGet || op == opLongBinGet:
		return m.get(index)
	}
	return m.put(index)
}

// scalar reads a value without parts, nil where the opcode is another.
func (m *machine) scalar(op byte) (value, error) {
	switch op {
	case opNone:
		return none{}, nil
	case opNewTrue, opNewFalse:
		return op == opNewTrue, nil
	case opBinInt1:
		n, err := m.number(1)
		return int64(n), err
	case opBinInt2:
		n, err := m.number(2)
		return int64(n), err
	case opBinInt:
		n, err := m.number(4)
		return int64(int32(n)), err
	case opLong1:
		return integer(m.counted(1))
	case opLong4:
		return integer(m.signed())
	case opBinFloat:
		_, err := m.take(8)
		return other{}, err
	case opShortBinString, opShortBinUnicode:
		return characters(m.counted(1))
	case opBinString:
		return characters(m.signed())
	case opBinUnicode:
		return characters(m.counted(4))
	case opBinUnicode8:
		return characters(m.counted(8))
	case opShortBinBytes:
		return blob(m.counted(1))
	case opBinBytes:
		return blob(m.counted(4))
	case opBinBytes8, opByteArray8:
		return blob(m.counted(8))
	}
	return nil, nil
}

// integer reads a number in two's complement.
func integer(b []byte, err error) (value, error) {
	switch {
	case err != nil:
		return nil, err
	case len(b) > 8:
		return long(b), nil
	case len(b) == 0:
		return int64(0), nil
	}
	var wide [8]byte
	if b[len(b)-1] >= 0x80 {
		wide = [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	}
	copy(wide[:], b)
	return int64(binary.LittleEndian.Uint64(wide[:])), nil
}

// characters are text where they are UTF-8; Python 2 also has other bytes in its strings.
func characters(b []byte, err error) (value, error) {
	if err != nil || !utf8.Valid(b) {
		return other{}, err
	}
	return text(b), nil
}

func blob(_ []byte, err error) (value, error) { return other{}, err }
