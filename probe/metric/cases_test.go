package metric

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"testing"
)

// caseSeed is SEED of testdata/make_cases.py, whose functions of the same names these repeat.
const caseSeed = 20260214

// draws are the numbers of one case of testdata/make_cases.py, by their place.
type draws struct{ state uint64 }

func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

func drawsOf(number int) draws { return draws{mix(caseSeed + uint64(number))} }

func (d draws) at(place int) uint64 { return mix(d.state + uint64(place+1)*0x9E3779B97F4A7C15) }

func (d draws) below(place, n int) int { return int(d.at(place) % uint64(n)) }

func unit(x uint64) float64 { return float64(x>>11) / (1 << 53) }

func drawnScore(x uint64, kind int, positive, single bool) float64 {
	switch kind {
	case 0:
		return unit(x)
	case 1:
		return float64(x%5) / 4
	case 2:
		return 0.25
	case 3:
		negative := math.Copysign(0, -1)
		if single {
			return []float64{math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 0, negative, 1e30, 1e-30}[x%8]
		}
		return []float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, 0, negative, 1e300, 1e-300}[x%8]
	case 4:
		if positive {
			return (unit(x) + 1) / 2
		}
		return unit(x) / 2
	case 5:
		return 0.5 + float64(x%64)/(1<<40)
	}
	return float64(x%1001)/500 - 1
}

func drawnLabel(x uint64, kind int, chosen bool) bool {
	switch kind {
	case 0:
		return false
	case 1:
		return true
	case 2:
		return chosen
	}
	return unit(x) < []float64{0.01, 0.05, 0.3, 0.5, 0.9}[kind%5]
}

// multilabelCase returns the scores and labels of a case, and the number of positives.
func multilabelCase(number int) (scores [][]float64, labels [][]bool, positives int) {
	d := drawsOf(number)
	items := min(1<<d.below(0, 14), 5000)
	if d.below(2, 4) != 0 {
		items = 1 + d.below(1, items)
	}
	tags, single := 1+d.below(3, 20), d.below(4, 2) == 1
	scores, labels = make([][]float64, items), make([][]bool, items)
	for i := range items {
		scores[i], labels[i] = make([]float64, tags), make([]bool, tags)
	}
	for t := range tags {
		place, kinds := 64+2*t*items, d.at(16+t)
		for i := range items {
			y := drawnLabel(d.at(place+i), int(kinds%12), i == d.below(40, 1<<30)%items)
			s := drawnScore(d.at(place+items+i), int(kinds>>32%7), y, single)
			if single {
				s = float64(float32(s))
			}
			scores[i][t], labels[i][t] = s, y
			if y {
				positives++
			}
		}
	}
	return scores, labels, positives
}

// caseValues hands out the numbers of testdata/cases.bin in their order.
type caseValues struct {
	t      *testing.T
	number int // of the case
	rest   []byte
}

func (v *caseValues) next() float64 {
	v.t.Helper()
	if len(v.rest) < 8 {
		v.t.Fatalf("case %d: testdata/cases.bin has ended", v.number)
	}
	x := math.Float64frombits(binary.LittleEndian.Uint64(v.rest))
	v.rest = v.rest[8:]
	return x
}

// same fails the test unless got is the next value, within 1e-12, of values above 1 in proportion.
func (v *caseValues) same(what string, got float64) {
	v.t.Helper()
	want := v.next()
	if math.IsNaN(got) && math.IsNaN(want) {
		return
	}
	if !(math.Abs(got-want) <= exact*max(1, math.Abs(want))) {
		v.t.Errorf("case %d: %s is %v, scikit-learn's %v", v.number, what, got, want)
	}
}

func (v *caseValues) summary(what string, macro, micro float64, perTag []float64) {
	v.t.Helper()
	v.same(what+" macro", macro)
	v.same(what+" micro", micro)
	v.same(what+" projection", projection(perTag))
	if v.number%40 == 0 {
		for _, value := range perTag {
			v.same(what+" of a tag", value)
		}
	}
}

// projection is a sum with weights 1, 2, ..., NaN counting as 0: one number that no value can change unseen.
func projection(values []float64) float64 {
	var total float64
	for k, v := range values {
		if !math.IsNaN(v) {
			total += float64(k+1) * v
		}
	}
	return total
}

func openCases(t *testing.T) *caseValues {
	t.Helper()
	var about struct {
		MadeBy struct {
			Python, NumPy, SKLearn string
			Seed                   uint64
		} `json:"made_by"`
		Multilabel, Single, Regression, Values int
	}
	doc, err := os.ReadFile("testdata/cases.json")
	if err == nil {
		err = json.Unmarshal(doc, &about)
	}
	data, dataErr := os.ReadFile("testdata/cases.bin")
	_, scriptErr := os.Stat("testdata/make_cases.py")
	if err != nil || dataErr != nil || scriptErr != nil {
		t.Fatal(err, dataErr, scriptErr)
	}
	if about.Multilabel != multilabelCases || about.Single != otherCases || about.Regression != otherCases || about.MadeBy.Seed != caseSeed ||
		about.MadeBy.SKLearn == "" || len(data) != 8*about.Values || len(data) > 300_000 {
		t.Fatalf("%d bytes of cases.bin, described as %+v", len(data), about)
	}
	return &caseValues{t: t, rest: data}
}

const (
	multilabelCases = 2000
	otherCases      = 400
)

// TestRandomCasesEqualScikitLearn checks every metric on 2,000 multi-label, 400 single-label and 400 regression cases: 1 to 5,000 items,
// ties, constant scores, scores at the ends of float64 and float32, tags without positives, with one, and without negatives.
func TestRandomCasesEqualScikitLearn(t *testing.T) {
	v := openCases(t)
	largest, undefined := 0, 0
	for ; v.number < multilabelCases && !t.Failed(); v.number++ {
		scores, labels, positives := multilabelCase(v.number)
		if items, tags, sum := v.next(), v.next(), v.next(); int(items) != len(scores) || int(tags) != len(scores[0]) || int(sum) != positives {
			t.Fatalf("case %d is not the script's: %d items, %d tags, %d positives, want %v, %v, %v", v.number, len(scores), len(scores[0]), positives, items, tags, sum)
		}
		got, err := MultiLabel(scores, labels, 0.5)
		if err != nil {
			t.Fatal(err)
		}
		v.summary("ROC-AUC", got.ROCAUC.Macro, got.ROCAUC.Micro, got.ROCAUC.PerTag)
		v.summary("average precision", got.AveragePrecision.Macro, got.AveragePrecision.Micro, got.AveragePrecision.PerTag)
		v.summary("F1", got.F1.Macro, got.F1.Micro, got.F1.PerTag)
		threshold := v.next()
		tuned, err := F1(scores, labels, threshold)
		if err != nil {
			t.Fatal(err)
		}
		if _, best, err := BestThreshold(scores, labels, Macro); err != nil || math.Abs(best-tuned.Macro) > exact {
			t.Errorf("case %d: best macro F1 is %v, %v, want %v at %v", v.number, best, err, tuned.Macro, threshold)
		}
		v.summary("F1 at the tuned threshold", tuned.Macro, tuned.Micro, tuned.PerTag)
		largest, undefined = max(largest, len(scores)), undefined+got.ROCAUC.LeftOut
	}
	if largest != 5000 || undefined < 1000 {
		t.Errorf("at most %d items and %d tags without ROC-AUC: the cases are too easy", largest, undefined)
	}
	for ; v.number < multilabelCases+otherCases && !t.Failed(); v.number++ {
		v.classCase()
	}
	for ; v.number < multilabelCases+2*otherCases && !t.Failed(); v.number++ {
		v.regressionCase()
	}
	if len(v.rest) != 0 && !t.Failed() {
		t.Errorf("%d bytes of cases.bin are left", len(v.rest))
	}
}

func (v *caseValues) classCase() {
	d := drawsOf(v.number)
	items, width, kind := 1+d.below(0, 1<<d.below(1, 12)), 2+d.below(2, 19), d.below(3, 3)
	scores, classes := make([][]float64, items), make([]int, items)
	for i := range items {
		for k := range width {
			x := d.at(64 + i*width + k)
			s := unit(x)
			if kind == 1 {
				s = float64(x % 3)
			} else if kind == 2 && x%4 == 0 {
				s = 1
			}
			scores[i] = append(scores[i], s)
		}
		classes[i] = d.below(64+items*width+i, width)
		switch d.below(4, 3) {
		case 0:
			classes[i] /= 3
		case 1:
			if d.at(64+(width+1)*items+i)%4 != 0 {
				classes[i] = argmax(scores[i])
			}
		}
	}
	got, err := SingleLabel(scores, classes)
	if err != nil {
		v.t.Fatal(err)
	}
	v.same("accuracy", got.Accuracy)
	v.same("macro F1", got.F1.Macro)
	v.same("F1 projection", projection(got.F1.PerClass))
	v.same("classes left out", float64(got.F1.LeftOut))
}

func (v *caseValues) regressionCase() {
	d := drawsOf(v.number)
	items, outputs, single := 2+d.below(0, 1<<d.below(1, 12)), 1+d.below(2, 4), d.below(3, 2) == 1
	targets, predictions := make([][]float64, items), make([][]float64, items)
	for i := range items {
		for k := range outputs {
			place := 64 + 2*k*items
			a, b := unit(d.at(place+i)), unit(d.at(place+items+i))
			kind := d.below(16+k, 5)
			y, p := [5]float64{a, a, 1000 + a, 0.5, 0.5}[kind], [5]float64{(3*a + b) / 4, b, 1000 + (a+b)/2, 0.5, b}[kind]
			if single {
				y, p = float64(float32(y)), float64(float32(p))
			}
			targets[i], predictions[i] = append(targets[i], y), append(predictions[i], p)
		}
	}
	got, err := Regression(predictions, targets)
	if err != nil {
		v.t.Fatal(err)
	}
	v.same("mean R2", got.R2.Mean)
	for _, r := range got.R2.PerOutput {
		v.same("R2 of an output", r)
	}
}
