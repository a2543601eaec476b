package mergekit

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncretic/arithmetic/method"
	"syncretic/checkpoint"
)

// golden is one case of testdata/cases.json: see testdata/make.py.
type golden struct {
	Name, Arch, Recipe string
	Config             map[string]any
}

// ulps are how far our float32 results may lie from mergekit's, in units in the last place of the largest magnitude that takes part
// in the sum: both round after every operation, but not always the same ones, and mergekit sums norms and dots in float32.
const ulps = 4

// looseUlps is for Model Stock on rows: the ratio N cos/(1 + (N−1) cos) of a row whose updates point apart is ill-conditioned, and
// the last bits of mergekit's float32 cosine decide.
const looseUlps = 64

func TestGoldens(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []golden
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 80 {
		t.Fatalf("%d cases, want at least 80", len(cases))
	}
	root, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	covered := map[string]bool{}
	for _, c := range cases {
		t.Run(c.Arch+"/"+c.Name, func(t *testing.T) {
			t.Chdir(filepath.Join(root, "models", c.Arch))
			expected, err := checkpoint.Open(filepath.Join(root, c.Arch+".safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			defer expected.Close()
			p := bench{t}.compile(c.Recipe, Options{})
			covered[p.Method.Name] = true
			compare(t, p, expected, c)
			if c.Config != nil {
				compareConfig(t, p.Config(), c.Config)
			}
		})
	}
	for _, m := range method.Methods() {
		if mergekitHas(m.Name) && !covered[m.Name] {
			t.Errorf("no golden for %s", m.Name)
		}
	}
}

// mergekitHas tells the deterministic methods of mergekit 0.1.5.
func mergekitHas(name string) bool {
	return strings.Contains(" linear slerp nuslerp multislerp karcher task_arithmetic ties breadcrumbs breadcrumbs_ties sce model_stock nearswap "+
		"arcee_fusion ram ramplus_tl passthrough ", " "+name+" ")
}

// compare holds every tensor against mergekit's.
func compare(t *testing.T, p *Plan, expected *checkpoint.Model, c golden) {
	t.Helper()
	seen := 0
	for _, info := range expected.Tensors() {
		name, ok := strings.CutPrefix(info.Name, c.Name+"/")
		if !ok {
			continue
		}
		seen++
		if info.DType.Integer() {
			want, err1 := checkpoint.ReadIntegers(expected, info.Name)
			got, err2 := checkpoint.ReadIntegers(p.Merge(), name)
			if err1 != nil || err2 != nil || len(got) != len(want) || got[0] != want[0] {
				t.Errorf("%s: %v, want %v (%v, %v)", name, got, want, err1, err2)
			}
			continue
		}
		want, err := checkpoint.ReadAll(expected, info.Name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := checkpoint.ReadAll(p.Merge(), name)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d elements, want %d", name, len(got), len(want))
			continue
		}
		scale := 0.0
		for _, w := range want {
			scale = max(scale, math.Abs(float64(w)))
		}
		step := float64(math.Nextafter32(float32(scale), math.MaxFloat32) - float32(scale))
		if strings.Contains(c.Recipe, "out_dtype: bfloat16") {
			step *= 1 << 15 // mergekit's output is rounded, ours is compared before it is
		}
		allowed := ulps * step
		if c.Name == "model_stock_rows" {
			allowed = looseUlps * step
		}
		for i := range want {
			if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= allowed) {
				t.Errorf("%s: element %d is %v, want %v", name, i, got[i], want[i])
				break
			}
		}
	}
	if seen == 0 || seen != len(p.Tensors) {
		t.Errorf("%d tensors, mergekit has %d", len(p.Tensors), seen)
	}
}

// compareConfig holds config.json's entries against mergekit's.
func compareConfig(t *testing.T, config []byte, want map[string]any) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal(config, &got); err != nil {
		t.Fatal(err)
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("config.json: %s is %v, mergekit has %v", key, got[key], value)
		}
	}
}
