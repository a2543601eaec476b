package taskvector

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
)

// Files that NumPy made by the package comment are read as NumPy means them.
func TestGoldens(t *testing.T) {
	text, err := os.ReadFile("testdata/want.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[Form]map[string]struct {
		Shape  []int
		SHA256 string
		Values []float64
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for form, least := range map[Form]int{Sparse: 7, LowRank: 4} {
		v := decode(t, open(t, "testdata/"+string(form)+".safetensors"))
		if len(v.Tensors()) != len(want[form]) || len(want[form]) < least {
			t.Errorf("%s: %d tensors, want %d, at least %d", form, len(v.Tensors()), len(want[form]), least)
		}
		for _, info := range v.Tensors() {
			w := want[form][info.Name]
			if !slices.Equal(info.Shape, w.Shape) {
				t.Errorf("%s: shape %d, want %d", info.Name, info.Shape, w.Shape)
			}
			x := all(t, v, info.Name)
			if form == Sparse {
				var raw []byte
				for _, x := range x {
					raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
				}
				if got := fmt.Sprintf("%x", sha256.Sum256(raw)); got != w.SHA256 {
					t.Errorf("%s: other numbers", info.Name)
				}
				continue
			}
			for i, y := range w.Values {
				// Two or three products of normal numbers, of which one in thousands is above 10.
				if len(x) != len(w.Values) || math.Abs(float64(x[i])-y) > 4e-6 {
					t.Fatalf("%s[%d] of %d is %v, want %v", info.Name, i, len(x), x[i], y)
				}
			}
		}
	}
}
