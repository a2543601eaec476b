package matrix

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"syncretic/probe"
)

// study is a base, a model that is better on one dataset and worse on a Western one, and a floor; 40 test items, each tag on half of them.
func study(t *testing.T) Table {
	t.Helper()
	columns := []Column{{Dataset: &probe.Dataset{Name: "makam_1", Tags: []string{"a", "b"}}}, {Dataset: &probe.Dataset{Name: "west", Tags: []string{"a", "b"}}, Western: true}}
	for _, c := range columns {
		for i := range 40 {
			c.Items = append(c.Items, probe.Item{ID: fmt.Sprint(i), Path: fmt.Sprint(i), Split: probe.Test, Labels: []bool{i%2 == 0, i%4 < 2}})
		}
	}
	// stored has every wrong-th item scored against its labels.
	stored := func(wrong int) *Stored {
		s := &Stored{Tags: []string{"a", "b"}}
		for i := range 40 {
			row := []float64{0.3, 0.3}
			for k, yes := range columns[0].Items[i].Labels {
				if yes != (i%wrong == 0) {
					row[k] = 0.7
				}
				row[k] += float64(i) / 1000
			}
			s.Items, s.Scores = append(s.Items, i), append(s.Scores, row)
		}
		v := 1 - 1/float64(wrong)
		m := probe.MeanSD{Mean: &v, SD: 0.0125}
		s.Cell = Cell{ROCAUC: m, AveragePrecision: m, MicroF1: m, MacroF1: probe.MeanSD{}, Runs: []Run{{Seed: 1}, {Seed: 2}}}
		return s
	}
	table, err := Build(columns, []Found{{Model: "base", Cells: []*Stored{stored(3), stored(100)}}, {Model: "better & worse", Cells: []*Stored{stored(20), stored(3)}},
		{Model: "floor", Floor: true, Cells: []*Stored{stored(2), stored(2)}}}, "base")
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestBuild(t *testing.T) {
	table := study(t)
	better := table.Rows[1]
	if table.Rows[0].Cells[0].Against != nil {
		t.Error("the base is compared with itself")
	}
	here, west := better.Cells[0].Against, better.Cells[1].Against
	for _, d := range []*Difference{here.ROCAUC, here.AveragePrecision} {
		if !(d.Low > 0 && d.Low <= d.Difference && d.Difference <= d.High && d.P < 0.05 && d.P <= d.Adjusted && d.Adjusted <= 2*d.P) {
			t.Errorf("better on one dataset: %+v", *d)
		}
	}
	if !(west.ROCAUC.High < 0) || !west.WesternRegression || here.WesternRegression {
		t.Errorf("worse on the Western dataset: %+v, %+v", *west, *west.ROCAUC)
	}
	if floor := table.Rows[2].Cells[0].Against; floor.WesternRegression {
		t.Error("a Western regression on a dataset that is not Western")
	}
	a := better.Averages
	all, non, western := (0.95+1-1/3.0)/2, 0.95, 1-1/3.0
	want := Averages{All: &all, NonWestern: &non, Western: &western}
	for i, p := range [][2]*float64{{a.All, want.All}, {a.NonWestern, want.NonWestern}, {a.Western, want.Western}} {
		if math.Abs(*p[0]-*p[1]) > 1e-12 {
			t.Errorf("average %d is %v, want %v", i, *p[0], *p[1])
		}
	}
	if a.F1 != nil {
		t.Errorf("average of F1 of which half is undefined: %v", *a.F1)
	}
}

func TestBuildRefuses(t *testing.T) {
	c := []Column{{Dataset: &probe.Dataset{Name: "d", Tags: []string{"a"}, Items: []probe.Item{{Labels: []bool{true}}, {Labels: []bool{true}}}}}}
	one, other := &Stored{Items: []int{0, 1}, Scores: [][]float64{{1}, {0}}}, &Stored{Items: []int{0}, Scores: [][]float64{{1}}}
	outside := &Stored{Items: []int{0, 2}, Scores: [][]float64{{1}, {0}}}
	for name, test := range map[string]struct {
		found []Found
		says  string
	}{
		"no such base": {[]Found{{Model: "x", Cells: []*Stored{one}}}, `base "base" is none of the models`},
		"other items":  {[]Found{{Model: "base", Cells: []*Stored{one}}, {Model: "x", Cells: []*Stored{other}}}, "1 test items and 2, not the same ones"},
		"no such item": {[]Found{{Model: "base", Cells: []*Stored{outside}}, {Model: "x", Cells: []*Stored{outside}}}, "test item 2, there are 2"},
	} {
		if _, err := Build(c, test.found, "base"); !errors.Is(err, probe.ErrInvalid) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
	// No negative item, so no ROC-AUC: the table stands, and says why nothing is compared.
	table, err := Build(c, []Found{{Model: "base", Cells: []*Stored{one}}, {Model: "x", Cells: []*Stored{one}}}, "base")
	if err != nil || table.Rows[1].Cells[0].Against.Undefined == "" {
		t.Errorf("no negative item: %+v, %v", table.Rows, err)
	}
}

func TestWriteCSV(t *testing.T) {
	var b bytes.Buffer
	if err := WriteCSV(&b, study(t)); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(lines) != 1+3*2*4 {
		t.Fatalf("%d lines, %v; want a header and 24", len(lines), err)
	}
	if got := strings.Join(lines[1], ","); got != "base,makam_1,roc_auc,false,false,true,0.6666666666666667,0.0125,2,40,2,,,,,,false" {
		t.Errorf("first line %s", got)
	}
	if got := lines[4]; got[2] != "macro_f1" || got[6] != "" {
		t.Errorf("undefined F1: %v", got)
	}
}

func TestWriteLaTeX(t *testing.T) {
	var b bytes.Buffer
	if err := WriteLaTeX(&b, study(t)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`Model & makam\_1 & west & Avg. & Non-West. & West. \\`, `base & 66.7/66.7 & \textbf{99.0}/\textbf{99.0} & \textbf{82.8}`,
		`better \& worse & \textbf{95.0}/\textbf{95.0} & 66.7/66.7`, "\\midrule\nfloor & 50.0/50.0", `\begin{tabular}{lccccc}`, `\bottomrule`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	b.Reset()
	if err := WriteLaTeX(&b, Published()); err != nil || !strings.Contains(b.String(), `\textbf{89.6}/35.9 & 66.1 & 66.1 & 66.1`) ||
		!strings.Contains(b.String(), `& \textbf{69.3} & \textbf{71.0} & 66.0 \\`) {
		t.Errorf("published, with the best of each column bold, equals too: %v\n%s", err, b.String())
	}
}

func TestWritePage(t *testing.T) {
	var first, second bytes.Buffer
	sections := []Section{{ID: "study", Title: "This study", Table: study(t)}, {ID: "published", Title: "As published", Table: Published()}}
	for _, b := range []*bytes.Buffer{&first, &second} {
		if err := WritePage(b, sections, [][2]string{{"seeds", "[1 2]"}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{`<h2>This study</h2>`, "better &amp; worse", "Western regression", `<td class="h9">95.0<small>± 1.2</small><small class="interval">`,
		`<td class="hn9">66.7`, `<td class="h6">89.6</td>`, "<small>&#43;4.90</small>", "<dt>seeds</dt>"} {
		if !strings.Contains(first.String(), want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if first.String() != second.String() {
		t.Error("the same tables give another page")
	}
}

// testdata/matrix.parquet.json is what pyarrow reads from testdata/matrix.parquet (testdata/read_parquet.py); what is written today must
// be that file, and what pyarrow read the records.
func TestWriteParquet(t *testing.T) {
	table := study(t)
	var b bytes.Buffer
	if err := WriteParquet(&b, table); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("testdata/matrix.parquet")
	if err != nil || !bytes.Equal(file, b.Bytes()) {
		t.Errorf("other bytes than testdata/matrix.parquet (%v): write it again and run testdata/read_parquet.py", err)
	}
	text, err := os.ReadFile("testdata/matrix.parquet.json")
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Rows  []map[string]any  `json:"rows"`
		Types map[string]string `json:"types"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	records := table.Records()
	if len(read.Rows) != len(records) || len(read.Types) != len(recordColumns()) {
		t.Fatalf("%d rows and %d columns, want %d and %d", len(read.Rows), len(read.Types), len(records), len(recordColumns()))
	}
	types := map[string]string{"string": "string", "bool": "bool", "int64": "int64", "float64": "double"}
	for i, r := range records {
		for _, c := range recordColumns() {
			want, got := c.of(r), read.Rows[i][c.name]
			if read.Types[c.name] != types[fmt.Sprintf("%T", want)] {
				t.Errorf("%s is %s", c.name, read.Types[c.name])
			}
			switch v := want.(type) {
			case int64:
				want = float64(v)
			case float64:
				if math.IsNaN(v) {
					want = nil
				}
			}
			if got != want {
				t.Errorf("row %d, %s: %v, want %v", i, c.name, got, want)
			}
		}
	}
	b.Reset()
	if err := WriteParquet(&b, Table{}); err != nil || !bytes.HasSuffix(b.Bytes(), []byte("PAR1")) {
		t.Errorf("an empty table: %v", err)
	}
}

func TestLogCQT(t *testing.T) {
	floor, err := NewLogCQT()
	if err != nil {
		t.Fatal(err)
	}
	samples := make([]float32, 24000)
	for i := range samples {
		samples[i] = float32(0.5 * math.Sin(2*math.Pi*440*float64(i)/24000))
	}
	states, err := floor.Features(samples)
	if err != nil || len(states) != 1 || len(states[0]) != 2*336 {
		t.Fatalf("%d layers, %v; want one of 672", len(states), err)
	}
	// 440 Hz is 48*log2(440/32.7) = 180 bins above the lowest.
	if top := slices.Index(states[0][:336], slices.Max(states[0][:336])); top < 179 || top > 181 {
		t.Errorf("the loudest bin of 440 Hz is %d, want 180", top)
	}
	quiet, err := floor.Features(make([]float32, 24000))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range quiet[0] {
		if want := map[bool]float64{true: math.Log(1e-4), false: 0}[i < 336]; math.Abs(float64(v)-want) > 1e-6 {
			t.Fatalf("silence: value %d is %v, want %v", i, v, want)
		}
	}
	if _, err := floor.Features(nil); err == nil {
		t.Error("features of nothing")
	}
	if id := floor.Identity(); !strings.Contains(id["cqt"], `"bins":336`) {
		t.Errorf("identity %v", id)
	}
}
