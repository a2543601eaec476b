package matrix

import (
	"encoding/binary"
	"io"
	"math"
)

// WriteParquet writes the long form of [WriteCSV] as a Parquet file that pandas, polars, DuckDB and R read: one row group, plain
// encoding, no compression; what is undefined is null.
//
// The table is a few kilobytes, and this is all of the format that it needs, so no library for the rest of it stands here. Reference: apache/parquet-format, README.md and parquet.thrift.
func WriteParquet(w io.Writer, t Table) error {
	records, columns := t.Records(), recordColumns()
	out := []byte("PAR1")
	chunks := make([]chunk, len(columns))
	for i, c := range columns {
		values := make([]any, len(records))
		for k, r := range records {
			values[k] = c.of(r)
		}
		chunks[i] = newChunk(c, values)
		chunks[i].offset = len(out)
		out = append(append(out, chunks[i].header()...), chunks[i].page...)
		chunks[i].size = len(out) - chunks[i].offset
	}
	footer := parquetFooter(chunks, len(records))
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

// newChunk encodes values of one type plainly: bits from the lowest up, 8 bytes, or a length and bytes.
func newChunk(c column, values []any) chunk {
	out := chunk{name: c.name, rows: len(values)}
	present := make([]bool, len(values))
	var bits []bool
	var body []byte
	switch c.of(Record{}).(type) { // also where there are no values
	case bool:
		out.kind = parquetBoolean
	case int64:
		out.kind = parquetInt64
	case float64:
		out.kind, out.optional = parquetDouble, true
	case string:
		out.kind = parquetByteArray
	}
	for i, v := range values {
		switch v := v.(type) {
		case bool:
			bits = append(bits, v)
		case int64:
			body = binary.LittleEndian.AppendUint64(body, uint64(v))
		case float64:
			if present[i] = !math.IsNaN(v); present[i] {
				body = binary.LittleEndian.AppendUint64(body, math.Float64bits(v))
			}
		case string:
			body = append(binary.LittleEndian.AppendUint32(body, uint32(len(v))), v...)
		}
	}
	if out.optional { // definition levels: one run of bits, behind its length in bytes
		packed := packBits(present)
		run := append(binary.AppendUvarint(nil, uint64(len(packed))<<1|1), packed...)
		out.page = append(binary.LittleEndian.AppendUint32(nil, uint32(len(run))), run...)
	}
	out.page = append(append(out.page, packBits(bits)...), body...)
	return out
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
