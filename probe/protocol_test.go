package probe

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"
)

// goldenProtocol is what testdata/make_protocol.py writes.
type goldenProtocol struct {
	MadeBy struct {
		Torch string `json:"torch"`
	} `json:"made_by"`
	Items                              map[string]int
	Windows, States, Dim, Tags, Epochs int
	Tasks                              []struct {
		Name      string
		Shift     float32
		Checksum  float64
		Positives int
		Runs      []struct {
			Seed        uint64
			Mix         []float32
			Valid, Test float64
		}
	}
}

// splits returns the features that make_protocol.py describes, with the sum of all and the number of positive labels.
func (g *goldenProtocol) splits(shift float32) (out map[string]Split, sum float64, positives int) {
	state := uint64(1)
	uniform := func() float32 {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		return float32((float32(state>>40)/(1<<23) - 1) * 1.7320508)
	}
	out = map[string]Split{}
	first, width := 0, g.States*g.Dim
	for _, name := range []string{Train, Valid, Test} {
		s := Split{Name: name, Tags: tagNames(g.Tags), Features: &Features{Layers: g.States, Dim: g.Dim}}
		for i := range g.Items[name] {
			label := make([]bool, g.Tags)
			for t := range label {
				if label[t] = uniform() > 1.1547; label[t] {
					positives++
				}
			}
			s.Labels = append(s.Labels, label)
			for range g.Windows {
				s.Features.Items = append(s.Features.Items, first+i)
				for j := range width {
					v := uniform()
					if label[j%g.Tags] {
						v += shift
					}
					s.Features.Values = append(s.Features.Values, v)
					sum += float64(v)
				}
			}
		}
		first += g.Items[name]
		out[name] = s
	}
	return out, sum, positives
}

// TestProtocolAgreesWithPyTorch trains five seeds on the tasks on which PyTorch trained five, from the same initial weights of layers.
// The other weights, orders and dropout masks differ, as generators do; the means may be apart by the spread of the seeds.
func TestProtocolAgreesWithPyTorch(t *testing.T) {
	data, err := os.ReadFile("testdata/protocol.json")
	if err != nil {
		t.Fatal(err)
	}
	var g goldenProtocol
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if g.MadeBy.Torch == "" || len(g.Tasks) != 2 {
		t.Fatalf("made by %+v, %d tasks", g.MadeBy, len(g.Tasks))
	}
	for _, task := range g.Tasks {
		splits, sum, positives := g.splits(task.Shift)
		if math.Abs(sum-task.Checksum) > 1e-6 || positives != task.Positives || len(task.Runs) != 5 {
			t.Fatalf("%s: features sum to %v with %d positives, want %v and %d, and five runs: there are %d", task.Name, sum, positives, task.Checksum, task.Positives, len(task.Runs))
		}
		cfg := DefaultHead()
		cfg.Standardise, cfg.Epochs = false, g.Epochs
		ours, theirs := map[string][]float64{}, map[string][]float64{}
		for _, run := range task.Runs {
			cfg.Seed = run.Seed
			valid, test := fitFrom(t, splits, cfg, run.Mix)
			ours[Valid], ours[Test] = append(ours[Valid], valid), append(ours[Test], test)
			theirs[Valid], theirs[Test] = append(theirs[Valid], run.Valid), append(theirs[Test], run.Test)
		}
		for _, split := range []string{Valid, Test} {
			got, want := meanSD(ours[split]), meanSD(theirs[split])
			apart, most := math.Abs(*got.Mean-*want.Mean), min(got.SD, want.SD)
			t.Logf("%s, %s: ROC-AUC %.4f ± %.4f, PyTorch's %.4f ± %.4f", task.Name, split, *got.Mean, got.SD, *want.Mean, want.SD)
			if apart > most {
				t.Errorf("%s, %s: %v apart, want at most the smaller spread, %v", task.Name, split, apart, most)
			}
		}
	}
}

// fitFrom is the protocol of one seed with the given initial weights of layers. It returns the ROC-AUC on valid and test.
func fitFrom(t *testing.T, splits map[string]Split, cfg HeadConfig, mix []float32) (valid, test float64) {
	t.Helper()
	train := splits[Train]
	candidates, err := cfg.grid(train.Features.Layers)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := newScaler(train.Features, candidates[0].picked, false)
	if err != nil {
		t.Fatal(err)
	}
	c := newCourse(raw, train, splits[Valid], cfg, candidates)
	l := c.lanes[0]
	if copy(l.mlp.mix, mix) != len(l.mlp.mix) {
		t.Fatalf("%d weights of layers, want %d", len(mix), len(l.mlp.mix))
	}
	if err := c.run(context.Background(), func() int { return 2 }); err != nil {
		t.Fatal(err)
	}
	head, err := finish(fit{model: l.best, scaler: raw, score: l.score, chosen: l.chosen}, units{}, train, splits[Valid], cfg)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := head.Scores(splits[Test].Features)
	if err != nil {
		t.Fatal(err)
	}
	if test, err = splits[Test].score(scores); err != nil {
		t.Fatal(err)
	}
	return head.Chosen.Score, test
}
