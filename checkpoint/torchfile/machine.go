package torchfile

import (
	"bytes"
	"encoding/binary"
)

// machine walks pickles. It reads protocols 2 to 5, which is all that torch.save can write.
//
// Each opcode takes at least a byte of the file, pushes at most one value and costs time in proportion to the bytes it takes
// and the values it pops, so a file cannot cost more than a multiple of its length.
type machine struct {
	data     []byte
	pos      int // of the next byte
	stack    []value
	marks    []int // lengths of the stack
	memo     []value
	storages map[string]*storage
}

// run walks one pickle, from pos to its end, and returns what it makes.
func (m *machine) run() (value, error) {
	m.stack, m.marks, m.memo = m.stack[:0], m.marks[:0], m.memo[:0]
	for {
		at := m.pos
		op, err := m.take(1)
		if err != nil {
			return nil, m.broken("truncated: the pickle has no end")
		}
		if op[0] == opStop {
			break
		}
		if err := m.step(op[0]); err != nil {
			return nil, within(err, "pickle opcode %#02x at byte %d", op[0], at)
		}
	}
	root, err := m.pop()
	if err != nil || len(m.stack) > 0 || len(m.marks) > 0 {
		return nil, broken(RulePickle, "pickle ends at byte %d with %d values and %d marks left, want one value", m.pos, len(m.stack), len(m.marks))
	}
	return root, nil
}

func (m *machine) broken(format string, args ...any) error {
	return broken(RulePickle, format, args...)
}

// take reads n bytes, after comparing n with what is left.
func (m *machine) take(n uint64) ([]byte, error) {
	if left := len(m.data) - m.pos; n > uint64(left) {
		return nil, m.broken("truncated: %d bytes wanted, %d left", n, left)
	}
	b := m.data[m.pos : m.pos+int(n) : m.pos+int(n)]
	m.pos += int(n)
	return b, nil
}

// number reads an unsigned number of 1, 2, 4 or 8 bytes.
func (m *machine) number(width uint64) (uint64, error) {
	b, err := m.take(width)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), nil
}

// signed reads a length of 4 bytes that must not be negative, and as many bytes.
func (m *machine) signed() ([]byte, error) {
	n, err := m.number(4)
	if err == nil && int32(n) < 0 {
		err = m.broken("length %d", int32(n))
	}
	if err != nil {
		return nil, err
	}
	return m.take(n)
}

// counted reads a length of some bytes, and as many bytes.
func (m *machine) counted(width uint64) ([]byte, error) {
	n, err := m.number(width)
	if err != nil {
		return nil, err
	}
	return m.take(n)
}

// line reads up to a new line, which it leaves out.
func (m *machine) line() (text, error) {
	n := bytes.IndexByte(m.data[m.pos:], '\n')
	if n < 0 {
		return nil, m.broken("truncated: a line without an end")
	}
	b := m.data[m.pos : m.pos+n : m.pos+n]
	m.pos += n + 1
	return b, nil
}

// grown makes room for one more. It can never need more than one for each byte that is left.
func grown[T any](s []T, left int) []T {
	if len(s) < cap(s) {
		return s
	}
	wider := make([]T, len(s), min(max(64, 4*cap(s)), len(s)+left+1))
	copy(wider, s)
	return wider
}

func (m *machine) push(v value) {
	m.stack = append(grown(m.stack, len(m.data)-m.pos), v)
}

// floor is where the values above the last mark begin.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

func (m *machine) pop() (value, error) {
	v, err := m.top()
	if err == nil {
		m.stack = m.stack[:len(m.stack)-1]
	}
	return v, err
}

func (m *machine) top() (value, error) {
	if len(m.stack) <= m.floor() {
		return nil, m.broken("nothing on the stack")
	}
	return m.stack[len(m.stack)-1], nil
}

// popMark takes the last mark and the values above it, which are valid until the next push.
func (m *machine) popMark() ([]value, error) {
	if len(m.marks) == 0 {
		return nil, m.broken("no mark on the stack")
	}
	at := m.floor()
	m.marks = m.marks[:len(m.marks)-1]
	items := m.stack[at:]
	m.stack = m.stack[:at]
	return items, nil
}

// popTuple makes the last n values a tuple.
func (m *machine) popTuple(n int) (*tuple, error) {
	if len(m.stack)-m.floor() < n {
		return nil, m.broken("%d values wanted, %d on the stack", n, len(m.stack)-m.floor())
	}
	at := len(m.stack) - n
	t := newTuple(m.stack[at:])
	m.stack = m.stack[:at]
	return t, nil
}

func newTuple(items []value) *tuple {
	return &tuple{append(make([]value, 0, len(items)), items...), anyHolds(items)}
}

// put stores the top of the stack in the memo. Picklers count up, Python 2's from 1: an index can skip no more than one.
func (m *machine) put(index uint64) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	if index > uint64(len(m.memo))+1 {
		return m.broken("memo index %d, want at most %d", index, len(m.memo)+1)
	}
	for uint64(len(m.memo)) <= index {
		m.memo = append(grown(m.memo, len(m.data)-m.pos), nil)
	}
	m.memo[index] = v
	return nil
}

func (m *machine) get(index uint64) error {
	if index >= uint64(len(m.memo)) || m.memo[index] == nil {
		return m.broken("memo index %d was never set", index)
	}
	m.push(m.memo[index])
	return nil
}
