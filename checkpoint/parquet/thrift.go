package parquet

import "encoding/binary"

// thrift writes Thrift's compact protocol, in which Parquet's metadata are: structs of numbered fields in rising order.
type thrift struct {
	out  []byte
	last []int // number of the field before, by depth
}

// Types of fields, as the protocol numbers them.
const (
	thriftI32    = 5
	thriftI64    = 6
	thriftBinary = 8
	thriftList   = 9
	thriftStruct = 12
)

func (t *thrift) begin() { t.last = append(t.last, 0) }

func (t *thrift) end() {
	t.out, t.last = append(t.out, 0), t.last[:len(t.last)-1]
}

// field heads a field: the step from the number before, which is at most 15, and the type.
func (t *thrift) field(number, kind int) {
	last := &t.last[len(t.last)-1]
	t.out, *last = append(t.out, byte((number-*last)<<4|kind)), number
}

func (t *thrift) i32(number, v int) {
	t.field(number, thriftI32)
	t.out = binary.AppendVarint(t.out, int64(v)) // zigzag, as the protocol has it
}

func (t *thrift) i64(number, v int) {
	t.field(number, thriftI64)
	t.out = binary.AppendVarint(t.out, int64(v))
}

func (t *thrift) text(number int, s string) {
	t.field(number, thriftBinary)
	t.bytes(s)
}

func (t *thrift) bytes(s string) {
	t.out = append(binary.AppendUvarint(t.out, uint64(len(s))), s...)
}

// list heads a list; its elements follow.
func (t *thrift) list(number, kind, n int) {
	t.field(number, thriftList)
	if n < 15 {
		t.out = append(t.out, byte(n<<4|kind))
		return
	}
	t.out = binary.AppendUvarint(append(t.out, byte(0xf0|kind)), uint64(n))
}
