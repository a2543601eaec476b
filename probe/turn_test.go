package probe

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

var turnFlag = flag.String("turn", "mlp,upper,2,2,70", "for TestTurn: kind of head, layers, seeds, epochs and train items")

// TestTurn prints what fitting a head on features of MERT-95M's size takes, for examples/bench/probe.py: noise with tags that shift it.
// As a test it shows that it runs, on small features.
func TestTurn(t *testing.T) {
	var kind, layers string
	var seeds, epochs, items int
	if _, err := fmt.Sscanf(strings.ReplaceAll(*turnFlag, ",", " "), "%s %s %d %d %d", &kind, &layers, &seeds, &epochs, &items); err != nil {
		t.Fatal(err)
	}
	given, states, dim, tags := false, 3, 16, 4
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "turn" })
	if given {
		states, dim, tags = 13, 768, 20
	}
	train, valid := shifted(items, items/10, states, dim, tags)
	cfg := DefaultHead()
	cfg.Kind, cfg.Layers, cfg.Standardise, cfg.Epochs, cfg.Stop = kind, layers, false, epochs, epochs
	list := make([]uint64, seeds)
	for i := range list {
		list[i] = uint64(i + 1)
	}
	start := time.Now()
	heads, err := FitSeeds(context.Background(), train, valid, cfg, list)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start).Seconds()
	score := heads[0].Chosen.Score
	if !(score > 0.52) { // one layer of thirteen knows little
		t.Errorf("valid ROC-AUC %v, want more than chance", score)
	}
	out, err := json.Marshal(map[string]any{"seconds": []float64{took}, "memory": peakMiB(t), "score": score})
	if err != nil {
		t.Fatal(err)
	}
	if given {
		fmt.Println(string(out))
	}
}

// shifted returns features of uniform noise, of variance 1, in which a tag, which every sixth item has, shifts every tags-th value.
func shifted(items, rest, states, dim, tags int) (train, valid Split) {
	const shift = 0.05
	state := uint64(1)
	random := func() float32 { // Marsaglia's xorshift, times √3
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		return (float32(state>>40)/(1<<23) - 1) * 1.7320508
	}
	first := 0
	split := func(name string, n int) Split {
		width := states * dim
		s := Split{Name: name, Tags: tagNames(tags), Features: &Features{Layers: states, Dim: dim, Values: make([]float32, n*width)}}
		for i := range n {
			s.Features.Items = append(s.Features.Items, first+i)
			row, label := s.Features.Values[i*width:(i+1)*width], make([]bool, tags)
			for t := range label {
				label[t] = random() > 1.1547
			}
			for j := range row {
				if row[j] = random(); label[j%tags] {
					row[j] += shift
				}
			}
			s.Labels = append(s.Labels, label)
		}
		first += n
		return s
	}
	return split(Train, items), split(Valid, rest)
}

// peakMiB returns the most memory that the process ever held, as Linux counts it; 0 elsewhere.
func peakMiB(t *testing.T) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if os.IsNotExist(err) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmHWM:" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib / 1024
		}
	}
	return 0
}
