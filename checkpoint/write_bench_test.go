package checkpoint

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// added is the sum of two sources, computed as it is read, in the steps of a merge.
type added struct {
	a, b Source
	pool *sync.Pool // of *[1 << 13]float32
}

func add(a, b Source) Source {
	return added{a, b, &sync.Pool{New: func() any { return new([1 << 13]float32) }}}
}

func (s added) Tensors() []Info { return s.a.Tensors() }

func (s added) Read(name string, offset int, dst []float32) error {
	room := s.pool.Get().(*[1 << 13]float32)
	defer s.pool.Put(room)
	if err := s.a.Read(name, offset, dst); err != nil {
		return err
	}
	for lo := 0; lo < len(dst); lo += len(room) {
		part := dst[lo:min(lo+len(room), len(dst))]
		if err := s.b.Read(name, offset+lo, room[:len(part)]); err != nil {
			return err
		}
		for i, x := range room[:len(part)] {
			part[i] += x
		}
	}
	return nil
}

// BenchmarkWrite stores BF16 tensors of 16 MiB each, durably: copied as stored, and computed from two mapped files; with and without
// digests; and several outputs at once. Copying the file by read and write is what to compare with. SYNCRETIC_BENCH_MB sets the
// size of the model, 256 by default.
func BenchmarkWrite(b *testing.B) {
	mb, err := strconv.Atoi(os.Getenv("SYNCRETIC_BENCH_MB"))
	if err != nil {
		mb = 256
	}
	dir := b.TempDir()
	var tensors []Tensor
	values := make([]float32, 1<<23)
	for i := range values {
		values[i] = float32(i%977) / 64
	}
	for i := range mb / 16 {
		tensors = append(tensors, Tensor{Name: fmt.Sprintf("layers.%03d.weight", i), Shape: []int{1 << 10, 1 << 13}, Data: values})
	}
	src, err := NewMemory(tensors...)
	if err != nil {
		b.Fatal(err)
	}
	var models []*Model
	for _, name := range []string{"a.safetensors", "b.safetensors"} {
		path := filepath.Join(dir, name)
		if err := Write(b.Context(), path, src, WriteOptions{DType: BF16}); err != nil {
			b.Fatal(err)
		}
		m, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		defer m.Close()
		if _, err := Hash(m); err != nil { // into the page cache
			b.Fatal(err)
		}
		models = append(models, m)
	}
	out := filepath.Join(dir, "out.safetensors")
	sum := add(models[0], models[1])
	bytes := int64(mb) << 20
	b.Run("cat", func(b *testing.B) {
		b.SetBytes(bytes)
		for b.Loop() {
			from, err := os.Open(models[0].Path())
			if err != nil {
				b.Fatal(err)
			}
			to, err := os.Create(out)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 1<<17)); err != nil {
				b.Fatal(err)
			}
			if err := closing(to, to.Sync()); err != nil {
				b.Fatal(err)
			}
			from.Close()
			os.Remove(out)
		}
	})
	for _, c := range []struct {
		name string
		src  Source
		opts WriteOptions
		many int
	}{
		{"raw", models[0], WriteOptions{}, 1},
		{"raw with digests", models[0], WriteOptions{Digest: true}, 1},
		{"computed", sum, WriteOptions{}, 1},
		{"computed with digests", sum, WriteOptions{Digest: true}, 1},
		{"computed 3 times", sum, WriteOptions{}, 3},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(bytes * int64(c.many))
			b.ReportAllocs()
			var outputs []Output
			for i := range c.many {
				outputs = append(outputs, Output{filepath.Join(dir, fmt.Sprint("out", i, ".safetensors")), c.src, c.opts})
			}
			for b.Loop() {
				if _, err := WriteAll(b.Context(), outputs...); err != nil {
					b.Fatal(err)
				}
				for _, o := range outputs {
					os.Remove(o.Path)
				}
			}
		})
	}
	b.Run("digests", func(b *testing.B) {
		b.SetBytes(bytes)
		for b.Loop() {
			if _, err := Digests(b.Context(), models[0], nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
