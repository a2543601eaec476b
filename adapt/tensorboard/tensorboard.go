// Package tensorboard writes event files, which TensorBoard shows as curves while they grow.
//
//	f, err := os.Create(filepath.Join(dir, tensorboard.FileName(time.Now())))
//	w, err := tensorboard.NewWriter(f, time.Now())
//	err = w.Scalars(100, time.Now(), map[string]float64{"train/loss": 2.5})
//
// An event file is a sequence of TFRecords (length u64, its checksum u32, the data, its checksum u32, all little-endian),
// each holding one tensorflow.Event in the wire format of protocol buffers. Of that, five fields in three messages are needed;
// they are written here, since the library's wire package brings along an initialisation that hashes the running binary.
package tensorboard

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"slices"
	"time"
)

// Writer writes one event file. It buffers nothing: after each call the file holds whole records.
type Writer struct{ w io.Writer }

// FileName is a name that TensorBoard takes for an event file. It reads those of one folder in the order of their names, so
// that a file begun later follows one begun before.
func FileName(begun time.Time) string {
	return fmt.Sprintf("events.out.tfevents.%010d.%09d", begun.Unix(), begun.Nanosecond())
}

// NewWriter begins a file: with the version of the format, and with the mark of a session's start, at which a running
// TensorBoard forgets what another file of the folder said of the same steps.
func NewWriter(w io.Writer, begun time.Time) (*Writer, error) {
	e := &Writer{w}
	if err := e.event(begun, 0, field(nil, versionField, []byte("brain.Event:2"))); err != nil {
		return nil, err
	}
	return e, e.event(begun, 0, field(nil, sessionField, []byte{statusField<<3 | varint, 1})) // 1 is START
}

// Scalars writes the values of one step in one record, in the order of their tags. Values are stored as float32; NaN and
// infinities are kept.
func (e *Writer) Scalars(step int, wall time.Time, values map[string]float64) error {
	var summary []byte
	for _, tag := range slices.Sorted(maps.Keys(values)) {
		value := field(nil, tagField, []byte(tag))
		value = append(value, simpleValueField<<3|fixed32)
		value = binary.LittleEndian.AppendUint32(value, math.Float32bits(float32(values[tag])))
		summary = field(summary, valueField, value)
	}
	return e.event(wall, step, field(nil, summaryField, summary))
}

// The numbers of the fields, as event.proto and summary.proto of TensorFlow have them, and the wire types.
const (
	wallTimeField = 1 // of Event, double
	stepField     = 2 // of Event, int64
	versionField  = 3 // of Event, string
	summaryField  = 5 // of Event, Summary
	sessionField  = 7 // of Event, SessionLog

	valueField       = 1 // of Summary, repeated Value
	tagField         = 1 // of Value, string
	simpleValueField = 2 // of Value, float
	statusField      = 1 // of SessionLog, enum

	varint    = 0
	fixed64   = 1
	delimited = 2
	fixed32   = 5
)

// field appends a field of bytes, a string or a message.
func field(to []byte, number byte, data []byte) []byte {
	to = append(to, number<<3|delimited)
	to = binary.AppendUvarint(to, uint64(len(data)))
	return append(to, data...)
}

// event writes one record. A step of 0 is left out, as the wire format wants it of defaults.
func (e *Writer) event(wall time.Time, step int, what []byte) error {
	data := []byte{wallTimeField<<3 | fixed64}
	data = binary.LittleEndian.AppendUint64(data, math.Float64bits(float64(wall.UnixMicro())/1e6))
	if step != 0 {
		data = append(data, stepField<<3|varint)
		data = binary.AppendUvarint(data, uint64(step))
	}
	data = append(data, what...)

	record := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	record = binary.LittleEndian.AppendUint32(record, checksum(record))
	record = append(record, data...)
	record = binary.LittleEndian.AppendUint32(record, checksum(data))
	_, err := e.w.Write(record)
	return err
}

// checksum is the masked CRC-32C of TFRecord: rotated and shifted, so that a checksum of data with checksums in it is not
// weakened.
func checksum(data []byte) uint32 {
	c := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	return (c>>15 | c<<17) + 0xa282ead8
}
