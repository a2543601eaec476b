// Package parquet writes tables as Parquet files that pandas, polars, DuckDB and R read: one row group, plain encoding, no compression.
//
//	err := parquet.Write(w, []parquet.Column{{"model", []string{"base"}}, {"roc_auc", []float64{0.71}}})
//
// The tables here are kilobytes, and this is all of the format that they need, so no library for the rest of it stands here. Reference:
// apache/parquet-format, README.md and parquet.thrift. testdata of probe/matrix holds what pyarrow reads of such a file.
package parquet

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Column is a column of a table: Values are a []string, []bool, []int64 or []float64, of which NaN is written as null.
type Column struct {
	Name   string
	Values any
}

// Write writes columns of equal length, which have the same bytes for the same values. Another type or length is an error.
func Write(w io.Writer, columns []Column) error {
	out := []byte("PAR1")
	chunks := make([]chunk, len(columns))
	for i, c := range columns {
		var err error
		if chunks[i], err = newChunk(c); err != nil {
			return err
		}
		if chunks[i].rows != chunks[0].rows {
			return fmt.Errorf("parquet: column %q has %d rows, column %q has %d", c.Name, chunks[i].rows, columns[0].Name, chunks[0].rows)
		}
		chunks[i].offset = len(out)
		out = append(append(out, chunks[i].header()...), chunks[i].page...)
		chunks[i].size = len(out) - chunks[i].offset
	}
	rows := 0
	if len(chunks) > 0 {
		rows = chunks[0].rows
	}
	footer := parquetFooter(chunks, rows)
	out = binary.LittleEndian.AppendUint32(append(out, footer...), uint32(len(footer)))
	_, err := w.Write(append(out, "PAR1"...))
	return err
}

// Numbers of the format's enumerations.
const (
	parquetBoolean   = 0
	parquetInt64     = 2
	parquetDouble    = 5
	parquetByteArray = 6

	parquetPlain = 0
	parquetRLE   = 3
	parquetUTF8  = 0
)

// chunk is a column in the file.
type chunk struct {
	name         string
	kind         int
	optional     bool // doubles, whose NaN are null
	page         []byte
	rows         int
	offset, size int // with the header
}

// newChunk encodes values plainly: bits from the lowest up, 8 bytes, or a length and bytes.
func newChunk(c Column) (chunk, error) {
	out := chunk{name: c.Name}
	var body []byte
	switch values := c.Values.(type) {
	case []bool:
		out.kind, out.rows = parquetBoolean, len(values)
		body = packBits(values)
	case []int64:
		out.kind, out.rows = parquetInt64, len(values)
		for _, v := range values {
			body = binary.LittleEndian.AppendUint64(body, uint64(v))
		}
	case []float64:
		out.kind, out.rows, out.optional = parquetDouble, len(values), true
		present := make([]bool, len(values))
		for i, v := range values {
			if present[i] = !math.IsNaN(v); present[i] {
				body = binary.LittleEndian.AppendUint64(body, math.Float64bits(v))
			}
		}
		// Definition levels: one run of bits, behind its length in bytes.
		packed := packBits(present)
		run := append(binary.AppendUvarint(nil, uint64(len(packed))<<1|1), packed...)
		out.page = append(binary.LittleEndian.AppendUint32(nil, uint32(len(run))), run...)
	case []string:
		out.kind, out.rows = parquetByteArray, len(values)
		for _, v := range values {
			body = append(binary.LittleEndian.AppendUint32(body, uint32(len(v))), v...)
		}
	default:
		return out, fmt.Errorf("parquet: column %q is a %T, want strings, bools, int64s or float64s", c.Name, c.Values)
	}
	out.page = append(out.page, body...)
	return out, nil
}

func packBits(bits []bool) []byte {
	out := make([]byte, (len(bits)+7)/8)
	for i, b := range bits {
		if b {
			out[i/8] |= 1 << (i % 8)
		}
	}
	return out
}

// header is the PageHeader of the chunk's one page.
func (c chunk) header() []byte {
	var t thrift
	t.begin()
	t.i32(1, 0) // DATA_PAGE
	t.i32(2, len(c.page))
	t.i32(3, len(c.page))
	t.field(5, thriftStruct)
	t.begin()
	t.i32(1, c.rows)
	t.i32(2, parquetPlain)
	t.i32(3, parquetRLE)
	t.i32(4, parquetRLE)
	t.end()
	t.end()
	return t.out
}

// parquetFooter is the FileMetaData.
func parquetFooter(chunks []chunk, rows int) []byte {
	var t thrift
	t.begin()
	t.i32(1, 1)
	t.list(2, thriftStruct, 1+len(chunks))
	t.begin()
	t.text(4, "schema")
	t.i32(5, len(chunks))
	t.end()
	total := 0
	for _, c := range chunks {
		total += c.size
		t.begin()
		t.i32(1, c.kind)
		repetition := 0
		if c.optional {
			repetition = 1
		}
		t.i32(3, repetition)
		t.text(4, c.name)
		if c.kind == parquetByteArray {
			t.i32(6, parquetUTF8)
		}
		t.end()
	}
	t.i64(3, rows)
	t.list(4, thriftStruct, 1)
	t.begin()
	t.list(1, thriftStruct, len(chunks))
	for _, c := range chunks {
		t.begin()
		t.i64(2, c.offset)
		t.field(3, thriftStruct)
		t.begin()
		t.i32(1, c.kind)
		t.list(2, thriftI32, 2)
		t.out = binary.AppendVarint(binary.AppendVarint(t.out, parquetPlain), parquetRLE)
		t.list(3, thriftBinary, 1)
		t.bytes(c.name)
		t.i32(4, 0) // uncompressed
		t.i64(5, c.rows)
		t.i64(6, c.size)
		t.i64(7, c.size)
		t.i64(9, c.offset)
		t.end()
		t.end()
	}
	t.i64(2, total)
	t.i64(3, rows)
	t.end()
	t.text(6, "syncretic")
	t.end()
	return t.out
}
