package probe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// ReadScores reads an .npy file of scores [items][tags]. Supported are numpy's format versions 1 to 3, dtypes bool, int8 to
// int64, uint8 to uint64, float32 and float64, little-endian, C or Fortran order. Errors name the file and wrap ErrInvalid, or
// fs.ErrNotExist: not an .npy file, another dtype (object arrays are never unpickled), a shape that is not 2-D or empty,
// a length that does not fit. Values are not judged: NaN is refused by probe/metric.
func ReadScores(path string) ([][]float64, error) {
	a, err := openNPY(path, false)
	if err != nil {
		return nil, err
	}
	return a.values(), nil
}

// ReadLabels reads an .npy file of labels [items][tags]: the dtypes of ReadScores, with all values 0 or 1.
func ReadLabels(path string) ([][]bool, error) {
	a, err := openNPY(path, false)
	if err != nil {
		return nil, err
	}
	out, err := a.labels()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

// npy is a parsed array: its bytes and how to read them.
type npy struct {
	rows, cols int
	fortran    bool
	kind       npyKind
	data       []byte // rows*cols elements
}

// npyKind is an element type.
type npyKind struct {
	size int
	read func([]byte) float64
}

// npyKindOf returns the element type that numpy calls descr, without its byte order.
func npyKindOf(descr string) (npyKind, bool) {
	le := binary.LittleEndian
	switch descr {
	case "b1", "u1":
		return npyKind{1, func(b []byte) float64 { return float64(b[0]) }}, true
	case "i1":
		return npyKind{1, func(b []byte) float64 { return float64(int8(b[0])) }}, true
	case "u2":
		return npyKind{2, func(b []byte) float64 { return float64(le.Uint16(b)) }}, true
	case "i2":
		return npyKind{2, func(b []byte) float64 { return float64(int16(le.Uint16(b))) }}, true
	case "u4":
		return npyKind{4, func(b []byte) float64 { return float64(le.Uint32(b)) }}, true
	case "i4":
		return npyKind{4, func(b []byte) float64 { return float64(int32(le.Uint32(b))) }}, true
	case "u8":
		return npyKind{8, func(b []byte) float64 { return float64(le.Uint64(b)) }}, true
	case "i8":
		return npyKind{8, func(b []byte) float64 { return float64(int64(le.Uint64(b))) }}, true
	case "f4":
		return npyKind{4, func(b []byte) float64 { return float64(math.Float32frombits(le.Uint32(b))) }}, true
	case "f8":
		return npyKind{8, func(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) }}, true
	}
	return npyKind{}, false
}

func (a *npy) at(i, j int) float64 {
	k := i*a.cols + j
	if a.fortran {
		k = j*a.rows + i
	}
	return a.kind.read(a.data[k*a.kind.size:])
}

func (a *npy) values() [][]float64 {
	flat, out := make([]float64, a.rows*a.cols), make([][]float64, a.rows)
	for i := range out {
		out[i] = flat[i*a.cols : (i+1)*a.cols : (i+1)*a.cols]
		for j := range out[i] {
			out[i][j] = a.at(i, j)
		}
	}
	return out
}

func (a *npy) labels() ([][]bool, error) {
	flat, out := make([]bool, a.rows*a.cols), make([][]bool, a.rows)
	for i := range out {
		out[i] = flat[i*a.cols : (i+1)*a.cols : (i+1)*a.cols]
		for j := range out[i] {
			switch v := a.at(i, j); v {
			case 0:
			case 1:
				out[i][j] = true
			default:
				return nil, fmt.Errorf("%w: item %d, tag %d: label is %v, want 0 or 1", ErrInvalid, i, j, v)
			}
		}
	}
	return out, nil
}

// The bounds of what is read: 2^27 elements are 1 GiB of float64.
const (
	maxNPYElements = 1 << 27
	maxNPYHeader   = 1 << 16
	maxNPYFile     = 8*maxNPYElements + maxNPYHeader
)

// openNPY reads a file; with flat one dimension will do, as a single column.
func openNPY(path string, flat bool) (*npy, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read array: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxNPYFile {
		return nil, fmt.Errorf("%s: %w: not a regular file of at most %d bytes", path, ErrInvalid, maxNPYFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read array: %w", err)
	}
	a, err := parseNPY(data, flat)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, ErrInvalid, err)
	}
	return a, nil
}

// parseNPY checks the header against the data; it allocates nothing in proportion to what the header claims.
func parseNPY(data []byte, flat bool) (*npy, error) {
	rest, ok := bytes.CutPrefix(data, []byte("\x93NUMPY"))
	if !ok || len(rest) < 4 {
		return nil, fmt.Errorf("not an .npy file (write one with numpy.save)")
	}
	major, size := rest[0], int(binary.LittleEndian.Uint16(rest[2:]))
	rest = rest[2:]
	switch {
	case major == 1:
		rest = rest[2:]
	case (major == 2 || major == 3) && len(rest) >= 4:
		long := binary.LittleEndian.Uint32(rest)
		if long > maxNPYHeader {
			return nil, fmt.Errorf("header of %d bytes, want at most %d", long, maxNPYHeader)
		}
		size, rest = int(long), rest[4:]
	default:
		return nil, fmt.Errorf("format version %d, want 1, 2 or 3", major)
	}
	if size > len(rest) {
		return nil, fmt.Errorf("header of %d bytes, the file ends after %d", size, len(rest))
	}
	a, err := parseNPYHeader(string(rest[:size]), flat)
	if err != nil {
		return nil, err
	}
	a.data = rest[size:]
	if want := a.rows * a.cols * a.kind.size; len(a.data) != want {
		return nil, fmt.Errorf("%d bytes of data, want %d for shape (%d, %d)", len(a.data), want, a.rows, a.cols)
	}
	return a, nil
}

// parseNPYHeader reads the Python dict that numpy writes: exactly the keys descr, fortran_order and shape, in any order.
func parseNPYHeader(header string, flat bool) (*npy, error) {
	body, opened := strings.CutPrefix(strings.TrimSpace(header), "{")
	body, closed := strings.CutSuffix(body, "}")
	if !opened || !closed {
		return nil, fmt.Errorf("header %.60q is not a dict", header)
	}
	pair := regexp.MustCompile(`^\s*'(descr|fortran_order|shape)'\s*:\s*('[^']*'|True|False|\([0-9, ]*\)|\[.*\])\s*(,|$)`)
	found := map[string]string{}
	for strings.TrimSpace(body) != "" {
		m := pair.FindStringSubmatch(body)
		if m == nil {
			return nil, fmt.Errorf("header entry %.60q, want 'descr', 'fortran_order' or 'shape'", strings.TrimSpace(body))
		}
		if _, twice := found[m[1]]; twice {
			return nil, fmt.Errorf("header key %q twice", m[1])
		}
		found[m[1]], body = m[2], body[len(m[0]):]
	}
	if len(found) != 3 {
		return nil, fmt.Errorf("header %.60q lacks one of descr, fortran_order, shape", header)
	}
	a := &npy{}
	var err error
	if a.kind, err = parseDescr(found["descr"]); err != nil {
		return nil, err
	}
	switch found["fortran_order"] {
	case "True":
		a.fortran = true
	case "False":
	default:
		return nil, fmt.Errorf("fortran_order is %.20s, want True or False", found["fortran_order"])
	}
	a.rows, a.cols, err = parseShape(found["shape"], flat)
	return a, err
}

func parseDescr(descr string) (npyKind, error) {
	name := strings.Trim(descr, "'")
	kind, ok := npyKindOf(strings.TrimLeft(name, "<|"))
	if order := strings.TrimRight(name, "abcdefghijklmnopqrstuvwxyz0123456789"); !ok || order != "<" && (order != "|" || kind.size > 1) {
		return npyKind{}, fmt.Errorf("dtype %.40s, want little-endian bool, int, uint, float32 or float64", descr)
	}
	return kind, nil
}

// parseShape accepts two dimensions of at least 1 and a bounded product, with flat one dimension too.
func parseShape(shape string, flat bool) (rows, cols int, err error) {
	parts := strings.Split(strings.TrimSuffix(strings.ReplaceAll(strings.Trim(shape, "()"), " ", ""), ","), ",")
	if flat && len(parts) == 1 && parts[0] != "" {
		parts = append(parts, "1")
	}
	if len(parts) != 2 {
		return 0, 0, fmt.Errorf("shape %.60s, want two dimensions (items, tags)", shape)
	}
	var size [2]int
	for i, part := range parts {
		if size[i], err = strconv.Atoi(part); err != nil || size[i] < 1 || size[i] > maxNPYElements {
			return 0, 0, fmt.Errorf("shape %.60s, want two dimensions from 1 to %d", shape, maxNPYElements)
		}
	}
	if size[0] > maxNPYElements/size[1] {
		return 0, 0, fmt.Errorf("shape %.60s, want at most %d elements", shape, maxNPYElements)
	}
	return size[0], size[1], nil
}
