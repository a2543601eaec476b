package checkpoint

import (
	"io"
	"runtime/debug"
	"unsafe"
)

// Floats views stored float32, such as [Model.Raw] returns, as numbers without a copy. ok is false where that cannot be: on a machine
// that is not little-endian, or where the bytes are not aligned; callers then read. [Write] aligns the first tensor of a file, and
// every other that follows tensors of whole float32. The view is read-only and as valid as the bytes.
func Floats(raw []byte) (view []float32, ok bool) {
	if len(raw) == 0 {
		return nil, true
	}
	first := unsafe.Pointer(unsafe.SliceData(raw))
	if !littleEndian() || uintptr(first)%unsafe.Alignof(float32(0)) != 0 || len(raw)%4 != 0 {
		return nil, false
	}
	return unsafe.Slice((*float32)(first), len(raw)/4), true
}

// Forget gives the memory of pages that were touched back to the system, where files are mapped. They are read again, from the
// system's cache or the disk, at the next touch: what is read through a model of any size can so be kept to a part of it. Bytes
// from [Model.Raw] stay valid.
func (m *Model) Forget() {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return
	}
	for _, data := range m.mapped {
		forget(data)
	}
}

// Touch runs f, which touches bytes from [Model.Raw], or a view of them by [Floats], on the calling goroutine. Where they cannot be read
// any more (the file was cut short since it was opened) that is an error instead of the end of the program; what names them in it.
func Touch(what string, f func() error) (err error) {
	defer catchFault(what, debug.SetPanicOnFault(true), &err)
	return f()
}

// Sum writes the named tensor's bytes, as stored, to w: for a checksum. Unlike touching the bytes of [Model.Raw], a file that was cut
// short since it was opened is an error.
func (m *Model) Sum(name string, w io.Writer) (err error) {
	defer catchFault(m.path, debug.SetPanicOnFault(true), &err)
	raw, err := m.Raw(name)
	if err != nil {
		return err
	}
	_, err = w.Write(raw)
	return err
}
