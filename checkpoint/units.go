package checkpoint

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
)

// meter adds up progress of several workers.
type meter struct {
	mu          sync.Mutex
	done, total int64
	report      func(done, total int64)
}

func (m *meter) add(n int64) {
	if m.report == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done += n
	m.report(m.done, m.total)
}

// newMeter adds up all outputs, and tells each that asks.
func newMeter(outputs []Output) *meter {
	var reports []func(done, total int64)
	for _, o := range outputs {
		if o.Options.Progress != nil {
			reports = append(reports, o.Options.Progress)
		}
	}
	switch len(reports) {
	case 0:
		return &meter{}
	case 1:
		return &meter{report: reports[0]}
	}
	return &meter{report: func(done, total int64) {
		for _, report := range reports {
			report(done, total)
		}
	}}
}

// part is what one output makes of a tensor.
type part struct {
	src   Source
	in    Info     // as src has it
	dtype DType    // as written
	what  string   // for messages
	raw   []byte   // as stored in dtype, nil where it must be computed
	file  *outFile // nil where only the digest is wanted
	begin int64    // of the tensor, in the file's data
	sums  []byte   // room for the digests of its chunks, nil where none is wanted
	meter *meter
}

// newPart asks for the tensor as stored, where that is possible.
func newPart(src Source, in Info, dtype DType, m *meter) (part, error) {
	p := part{src: src, in: in, dtype: dtype, meter: m, what: fmt.Sprintf("tensor %q", in.Name)}
	if dtype == in.DType {
		raw, ok, err := rawBytes(src, in)
		if err != nil {
			return p, err
		}
		if ok {
			p.raw = raw
			return p, nil
		}
	}
	if encodable(dtype) {
		return p, nil
	}
	if ok, err := gathered(src, in.Name, 0, nil); dtype != in.DType || !ok || err != nil {
		if err == nil {
			err = noStored(in)
		}
		return p, err
	}
	return p, nil
}

// unit is a range of elements of a tensor, and everything that is made of it: whole chunks, but at the tensor's end.
type unit struct {
	tensor int // how many tensors with elements come before its own
	parts  []*part
	lo, hi int
}

// units cuts tensors by name, so that a sharded output is finished file by file. Outputs that have a tensor of one name and number
// of elements get each range of it one after the other, so that what they share is read from cache.
func units(parts []*part) []unit {
	slices.SortStableFunc(parts, func(a, b *part) int {
		return cmp.Or(cmp.Compare(a.in.Name, b.in.Name), cmp.Compare(a.in.Elements(), b.in.Elements()))
	})
	var all []unit
	for tensor := 0; len(parts) > 0; {
		name, n, same := parts[0].in.Name, parts[0].in.Elements(), 1
		step := chunkElements(parts[0].dtype)
		for same < len(parts) && parts[same].in.Name == name && parts[same].in.Elements() == n {
			step = max(step, chunkElements(parts[same].dtype))
			same++
		}
		for lo := 0; lo < n; lo += step {
			all = append(all, unit{tensor, parts[:same:same], lo, min(lo+step, n)})
			for _, p := range parts[:same] {
				if p.file != nil {
					p.file.left.Add(1)
				}
			}
		}
		if n > 0 {
			tensor++
		}
		parts = parts[same:]
	}
	return all
}
