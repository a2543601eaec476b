package taskvector

import (
	"errors"
	"maps"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

// part is a tensor of a file in memory.
func part(t testing.TB, name string, dtype checkpoint.DType, shape []int, values ...int64) checkpoint.Tensor {
	t.Helper()
	if dtype != checkpoint.F32 {
		tensor, err := checkpoint.NewIntegers(name, dtype, shape, values)
		if err != nil {
			t.Fatal(err)
		}
		return tensor
	}
	data := make([]float32, len(values))
	for i, x := range values {
		data[i] = float32(x)
	}
	return checkpoint.Tensor{Name: name, Shape: shape, Data: data}
}

// sound are the parts of a sparse tensor of shape [10, 2]: elements 1, 9 and 19 are kept.
func sound(t testing.TB) map[string]checkpoint.Tensor {
	return map[string]checkpoint.Tensor{
		"shape":  part(t, "w.shape", checkpoint.I64, []int{2}, 10, 2),
		"octets": part(t, "w.octets", checkpoint.U8, []int{1}, 0b111),
		"mask":   part(t, "w.mask", checkpoint.U8, []int{3}, 2, 2, 8),
		"values": part(t, "w.values", checkpoint.F32, []int{3}, 5, 6, 7),
	}
}

func sparseFile(t testing.TB, parts map[string]checkpoint.Tensor) file {
	var tensors []checkpoint.Tensor
	for _, p := range parts {
		tensors = append(tensors, p)
	}
	return file{memory(t, tensors...), meta(Sparse)}
}

func TestSparseByHand(t *testing.T) {
	got := all(t, decode(t, sparseFile(t, sound(t))), "w")
	for i, x := range got {
		if want := map[int]float32{1: 5, 9: 6, 19: 7}[i]; x != want {
			t.Errorf("element %d is %v, want %v", i, x, want)
		}
	}
}

func TestHostileSparseParts(t *testing.T) {
	for name, c := range map[string]struct {
		part checkpoint.Tensor
		text string
	}{
		"a bit beyond the elements":        {part(t, "w.mask", checkpoint.U8, []int{3}, 2, 2, 16), "beyond the 20 there are"},
		"an octet beyond the elements":     {part(t, "w.octets", checkpoint.U8, []int{1}, 0b1011), "beyond the 20 there are"},
		"an octet that keeps nothing":      {part(t, "w.mask", checkpoint.U8, []int{3}, 2, 0, 8), "byte 1 of mask is 0"},
		"more octets than mask":            {part(t, "w.mask", checkpoint.U8, []int{2}, 2, 3), "more than the 2 set bits"},
		"more mask than octets":            {part(t, "w.mask", checkpoint.U8, []int{4}, 2, 2, 8, 1), "mask has 4 bytes, want the 3 set bits"},
		"too few values":                   {part(t, "w.values", checkpoint.F32, []int{2}, 5, 6), "2 values, want 3"},
		"too many values":                  {part(t, "w.values", checkpoint.F32, []int{4}, 5, 6, 7, 8), "4 values, want 3"},
		"values of two dimensions":         {part(t, "w.values", checkpoint.F32, []int{3, 1}, 5, 6, 7), "values has shape [3 1], want one dimension"},
		"integers as values":               {part(t, "w.values", checkpoint.I32, []int{3}, 5, 6, 7), "values is I32, want floats"},
		"shape and octets differ":          {part(t, "w.shape", checkpoint.I64, []int{2}, 10, 7), "octets has 1 bytes, want 2 for shape [10 7]"},
		"a negative dimension":             {part(t, "w.shape", checkpoint.I64, []int{2}, -10, -2), "want dimensions from 0"},
		"a product that wraps to the size": {part(t, "w.shape", checkpoint.I64, []int{3}, 1<<32, 1<<32, 20), "too many elements"},
		"a huge dimension":                 {part(t, "w.shape", checkpoint.I64, []int{1}, math.MaxInt64), "want dimensions from 0"},
		"a large shape":                    {part(t, "w.shape", checkpoint.I64, []int{2}, 1<<29, 1<<29), "octets has 1 bytes, want 4503599627370496"},
		"too many dimensions":              {part(t, "w.shape", checkpoint.I64, []int{65}, make([]int64, 65)...), "65 dimensions, want at most 64"},
		"shape as U8":                      {part(t, "w.shape", checkpoint.U8, []int{2}, 10, 2), "shape is U8, want I64"},
		"a shape of two dimensions":        {part(t, "w.shape", checkpoint.I64, []int{2, 1}, 10, 2), "shape has shape [2 1]"},
		"mask as I8":                       {part(t, "w.mask", checkpoint.I8, []int{3}, 2, 2, 8), "mask is I8, want U8"},
		"octets as BOOL":                   {part(t, "w.octets", checkpoint.Bool, []int{1}, 1), "octets is BOOL, want U8"},
		"another part":                     {part(t, "w.left", checkpoint.F32, []int{1, 1}, 5), "its parts are left, mask, octets, shape, values"},
		"a part that is not known":         {part(t, "w.gaps", checkpoint.U8, []int{1}, 5), "its parts are gaps,"},
		"the dense tensor too":             {part(t, "w.dense", checkpoint.F32, []int{20}, make([]int64, 20)...), "its parts are dense, mask"},
		"a name without a part":            {part(t, "w", checkpoint.F32, []int{1}, 5), `tensor "w": no part`},
		"a part without a name":            {part(t, ".dense", checkpoint.F32, []int{1}, 5), `tensor ".dense": no part`},
		"integers as a dense tensor":       {part(t, "ids.dense", checkpoint.I64, []int{1}, 5), "dense is I64, want floats"},
	} {
		t.Run(name, func(t *testing.T) {
			parts := sound(t)
			parts[strings.TrimPrefix(c.part.Name, "w.")] = c.part
			if _, err := Decode(sparseFile(t, parts)); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%v, want it to say %q", err, c.text)
			}
		})
	}
	for name := range sound(t) {
		parts := sound(t)
		delete(parts, name)
		if _, err := Decode(sparseFile(t, parts)); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), `tensor "w": its parts are`) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

// A file that is written to while it is read is an error, not a panic.
func TestChangedMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		part string
		at   int
		to   byte
	}{"more kept": {"w.mask", 0, 0xff}, "more octets": {"w.octets", 0, 0xff}, "as many, beyond the end": {"w.mask", 2, 16}} {
		f := sparseFile(t, sound(t))
		v := decode(t, f)
		raw, err := f.Raw(c.part)
		if err != nil {
			t.Fatal(err)
		}
		raw[c.at] = c.to
		if err := v.Read("w", 0, make([]float32, 20)); !errors.Is(err, errChanged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A full last octet, and one that is not there, have no bits to check beyond the end.
func TestPositionsAtTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		n            int
		octets, mask []byte
		ok           bool
	}{
		"full": {16, []byte{2}, []byte{255}, true}, "last not kept": {17, []byte{1}, []byte{128}, true}, "last kept": {17, []byte{4}, []byte{1}, true},
		"beyond": {17, []byte{4}, []byte{2}, false}, "octet beyond": {17, []byte{8}, []byte{1}, false}, "64": {64, []byte{128}, []byte{128}, true},
		"65": {65, []byte{0, 1}, []byte{1}, true}, "65 beyond": {65, []byte{0, 2}, []byte{1}, false}, "none": {0, nil, nil, true},
	} {
		if _, err := newKept(c.n, inMemory(c.octets), inMemory(c.mask), len(c.mask), new(scratch)); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHostileFactors(t *testing.T) {
	matrix := func(name string, shape ...int) checkpoint.Tensor {
		n, _ := elements(shape)
		return checkpoint.Tensor{Name: name, Shape: shape, Data: make([]float32, n)}
	}
	for name, c := range map[string]struct {
		left, right checkpoint.Tensor
		text        string
	}{
		"ranks differ":          {matrix("w.left", 4, 2), matrix("w.right", 3, 5), "left has shape [4 2] and right [3 5]"},
		"left of one dimension": {matrix("w.left", 4), matrix("w.right", 4, 5), "left has shape [4]"},
		"left of three":         {matrix("w.left", 4, 2, 1), matrix("w.right", 2, 5), "left has shape [4 2 1]"},
		"right of one":          {matrix("w.left", 4, 2), matrix("w.right", 2), "right [2]"},
		"rank above a side":     {matrix("w.left", 2, 3), matrix("w.right", 3, 5), "rank 3 for a tensor of shape [2 5]"},
		"rank of nothing":       {matrix("w.left", 0, 3), matrix("w.right", 3, 5), "rank 3 for a tensor of shape [0 5]"},
		"integers":              {part(t, "w.left", checkpoint.U8, []int{2, 1}, 1, 2), matrix("w.right", 1, 5), "left is U8, want floats"},
		"integers on the right": {matrix("w.left", 5, 1), part(t, "w.right", checkpoint.U8, []int{1, 2}, 1, 2), "right is U8, want floats"},
		"elements overflow":     {matrix("w.left", 1<<40, 0), matrix("w.right", 0, 1<<40), "too many elements"},
	} {
		if _, err := Decode(file{memory(t, c.left, c.right), meta(LowRank)}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want it to say %q", name, err, c.text)
		}
	}
	// A file without a byte of tensors may name a large tensor of zeros; only what is asked for is made.
	v := decode(t, file{memory(t, matrix("w.left", 1<<20, 0), matrix("w.right", 0, 1<<20)), meta(LowRank)})
	x := []float32{1, 2, 3}
	if err := v.Read("w", 1<<40-3, x); err != nil || x[0] != 0 || x[2] != 0 {
		t.Errorf("%v, %v", x, err)
	}
}

func TestUnknownFormsAndVersions(t *testing.T) {
	for name, c := range map[string]struct{ form, version, text string }{
		"a later version":           {"sparse", "2", `version "2" of task vector files, want 1: was it made by a later release?`},
		"a later version of dense":  {"dense", "2", `version "2"`},
		"no version":                {"sparse", "", `version ""`},
		"another form":              {"ternary", "1", `a task vector of form "ternary", want dense, sparse or low_rank`},
		"a version without a form":  {"", "1", `a task vector of form ""`},
		"a version that is no word": {"dense", strings.Repeat("9", 4), `version "9999"`},
	} {
		_, err := Decode(file{memory(t, part(t, "w", checkpoint.F32, []int{1}, 1)), map[string]string{FormKey: c.form, VersionKey: c.version}})
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want it to say %q", name, err, c.text)
		}
	}
}

// Bytes of a small file, all along it, changed one at a time: a clear error or other numbers, never a panic, and no memory that the file does not
// justify.
func TestChangedBytes(t *testing.T) {
	for _, form := range []Form{Sparse, LowRank} {
		text, err := os.ReadFile("testdata/" + string(form) + ".safetensors")
		if err != nil {
			t.Fatal(err)
		}
		path := t.TempDir() + "/x.safetensors"
		refused, step := 0, max(1, len(text)/500)
		var before, after runtime.MemStats
		for i := 0; i < len(text); i += step {
			changed := append([]byte(nil), text...)
			changed[i] ^= 1 << (i % 8)
			if err := os.WriteFile(path, changed, 0o666); err != nil {
				t.Fatal(err)
			}
			m, err := checkpoint.Open(path)
			if err != nil {
				continue
			}
			runtime.ReadMemStats(&before)
			v, err := Decode(m)
			runtime.ReadMemStats(&after)
			if err != nil {
				refused++
				if !errors.Is(err, ErrInvalid) || !strings.HasPrefix(err.Error(), path) {
					t.Errorf("byte %d: %v", i, err)
				}
			} else {
				readSome(t, v)
			}
			if spent := after.TotalAlloc - before.TotalAlloc; spent > 1<<20+8*uint64(len(text)) {
				t.Errorf("byte %d: %d bytes allocated for a file of %d", i, spent, len(text))
			}
			m.Close()
		}
		if refused == 0 {
			t.Errorf("%s: nothing was refused", form)
		}
	}
}

// readSome reads what it can of every tensor: errors are fine, panics are not.
func readSome(t testing.TB, v checkpoint.Source) {
	t.Helper()
	for _, info := range v.Tensors() {
		n := info.Elements()
		for _, offset := range []int{0, n / 2, n - min(n, 100)} {
			_ = v.Read(info.Name, offset, make([]float32, min(n-offset, 20000)))
		}
	}
}

// FuzzSparse has the fuzzer write a tensor's parts; what is accepted must be what a plain reading of the bits gives.
func FuzzSparse(f *testing.F) {
	f.Add(uint16(10), uint16(2), []byte{7}, []byte{2, 2, 8}, uint16(3))
	f.Add(uint16(200), uint16(100), []byte{255, 1}, []byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, uint16(15))
	f.Add(uint16(0), uint16(5), []byte{}, []byte{}, uint16(0))
	f.Fuzz(func(t *testing.T, rows, columns uint16, octets, mask []byte, values uint16) {
		integers := func(b []byte) (x []int64) {
			for _, b := range b {
				x = append(x, int64(b))
			}
			return x
		}
		numbers := make([]int64, values)
		for i := range numbers {
			numbers[i] = int64(i + 1)
		}
		v, err := Decode(sparseFile(t, map[string]checkpoint.Tensor{
			"shape":  part(t, "w.shape", checkpoint.I64, []int{2}, int64(rows), int64(columns)),
			"octets": part(t, "w.octets", checkpoint.U8, []int{len(octets)}, integers(octets)...),
			"mask":   part(t, "w.mask", checkpoint.U8, []int{len(mask)}, integers(mask)...),
			"values": part(t, "w.values", checkpoint.F32, []int{int(values)}, numbers...),
		}))
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		want := map[int]float32{}
		for i := range 8 * len(octets) {
			if octets[i/8]>>(i%8)&1 == 0 {
				continue
			}
			for j := range 8 {
				if mask[0]>>j&1 == 1 {
					want[8*i+j] = float32(len(want) + 1)
				}
			}
			mask = mask[1:]
		}
		got := all(t, v, "w")
		for i, x := range got {
			if x != want[i] {
				t.Fatalf("element %d is %v, want %v", i, x, want[i])
			}
			delete(want, i)
		}
		if len(want) > 0 || len(mask) > 0 {
			t.Fatalf("accepted with %v beyond %d elements, and %d bytes too many", maps.Clone(want), len(got), len(mask))
		}
	})
}

// FuzzFile has the fuzzer change whole files.
func FuzzFile(f *testing.F) {
	for _, form := range []Form{Sparse, LowRank} {
		text, err := os.ReadFile("testdata/" + string(form) + ".safetensors")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := t.TempDir() + "/x.safetensors"
		if err := os.WriteFile(path, text, 0o666); err != nil {
			t.Fatal(err)
		}
		m, err := checkpoint.Open(path)
		if err != nil {
			return
		}
		defer m.Close()
		if v, err := Decode(m); err == nil {
			readSome(t, v)
		} else if !errors.Is(err, ErrInvalid) {
			t.Fatalf("an error of another kind: %v", err)
		}
	})
}
