package mert

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"sync"
)

// Reuse has [Encoder.Features] go on from hidden states of audio that it has seen before, where weights have changed behind them only:
// features are the same, bit for bit. It keeps at most so many bytes of states, 4·frames·hidden_size for an input, and forgets all
// with 0, as at the start.
//
// It learns from [Encoder.SetWeights] with versioned sources where changes begin. The first set of weights that leaves the layers before
// some layer as they were has the states that enter that layer kept from then on, for each input that comes by; the next finds them. So
// a sweep in which everything always changes keeps nothing. Inputs are told apart by the SHA-256 of their samples.
func (e *Encoder) Reuse(bytes int64) { e.reuse.limit(bytes) }

// Reused counts what Reuse has saved since it was turned on.
type Reused struct {
	Hits, Misses int   // inputs that went on from a kept state, and others
	Layers       int   // that were not computed for hits; the front-end, never computed for them, not counted
	Bytes        int64 // held now
}

// Reused tells what Reuse has saved.
func (e *Encoder) Reused() Reused {
	e.reuse.mu.Lock()
	defer e.reuse.mu.Unlock()
	return e.reuse.counts
}

// stages are the rows of the table that hidden states depend on, in the order of the pass: state i on stages 0 to i. masked_spec_embed is
// not among them, for inference masks nothing.
func (e *Encoder) stages() [][]int {
	stages := make([][]int, e.cfg.NumHiddenLayers+1)
	for i, w := range e.table {
		stage := 0
		var layer int
		switch n, _ := fmt.Sscanf(w.name, "encoder.layers.%d.", &layer); {
		case n == 1:
			stage = layer + 1
		case w.name == "masked_spec_embed":
			continue
		case e.cfg.DoStableLayerNorm && (w.name == "encoder.layer_norm.weight" || w.name == "encoder.layer_norm.bias"):
			stage = len(stages) - 1 // it is applied to the last state
		}
		stages[stage] = append(stages[stage], i)
	}
	return stages
}

// reuse keeps hidden states by input and by the version of all weights that they depend on.
type reuse struct {
	mu      sync.Mutex
	budget  int64
	counts  Reused
	turns   int      // of weights
	prefix  []string // by state: names the weights that it depends on; nil where that is not known
	useful  []bool   // by state: weights have changed right behind it
	shelves map[string]*shelf
}

// shelf holds the states of one version.
type shelf struct {
	layer int // which states
	turn  int // of the last use
	kept  map[inputKey]*kept
}

type inputKey [sha256.Size]byte

// kept is one input's state. It is never changed.
type kept struct {
	hidden []float32   // nil for the last state, from which nothing follows
	means  [][]float32 // over the frames: of this state and of those before
}

func (k *kept) bytes() int64 {
	const beside = 200 // of maps and headers
	n := int64(beside + 4*len(k.hidden))
	for _, m := range k.means {
		n += int64(4*len(m) + 24)
	}
	return n
}

func (r *reuse) limit(bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.budget, r.shelves, r.counts = max(0, bytes), make(map[string]*shelf), Reused{}
}

// clear drops all states.
func (r *reuse) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shelves, r.counts.Bytes = make(map[string]*shelf), 0
}

// forget is for weights of which nothing is known any more.
func (r *reuse) forget() {
	r.clear()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.prefix = nil
}

// turn takes new weights: their versions by row of the table; nil or "" where there is none.
func (r *reuse) turn(stages [][]int, versions []string) {
	prefix := prefixes(stages, versions)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turns++
	if r.useful == nil {
		r.useful = make([]bool, len(stages))
	}
	for i := min(len(prefix), len(r.prefix)) - 1; i >= 0; i-- {
		if prefix[i] != "" && prefix[i] == r.prefix[i] {
			r.useful[i] = true
			break
		}
	}
	r.prefix = prefix
}

// prefixes names the weights that each state depends on, "" from the first on that is not known.
func prefixes(stages [][]int, versions []string) []string {
	if versions == nil {
		return nil
	}
	names := make([]string, len(stages))
	sum := sha256.New()
	for i, rows := range stages {
		for _, row := range rows {
			if versions[row] == "" {
				return names
			}
			fmt.Fprintf(sum, "%d %q\n", row, versions[row])
		}
		names[i] = hex.EncodeToString(sum.Sum(nil))
	}
	return names
}

// lookup is one input on its way through the encoder; nil where nothing is reused.
type lookup struct {
	*reuse
	key    inputKey
	prefix []string
}

// look finds the deepest state of an input that is kept, if any.
func (r *reuse) look(samples []float32) (l *lookup, layer int, found *kept) {
	r.mu.Lock()
	prefix, on := r.prefix, r.budget > 0
	r.mu.Unlock()
	if !on || prefix == nil {
		return nil, 0, nil
	}
	l = &lookup{r, keyOf(samples), prefix}
	r.mu.Lock()
	defer r.mu.Unlock()
	for layer = len(prefix) - 1; layer >= 0; layer-- {
		s := r.shelves[prefix[layer]]
		if s == nil || prefix[layer] == "" {
			continue
		}
		if found = s.kept[l.key]; found != nil {
			s.turn = r.turns
			r.counts.Hits++
			r.counts.Layers += layer
			return l, layer, found
		}
	}
	r.counts.Misses++
	return l, 0, nil
}

// keyOf is the SHA-256 of the samples.
func keyOf(samples []float32) (key inputKey) {
	sum := sha256.New()
	block := make([]byte, 0, 4096)
	for part := range slices.Chunk(samples, cap(block)/4) {
		block = block[:0]
		for _, x := range part {
			block = binary.LittleEndian.AppendUint32(block, math.Float32bits(x))
		}
		sum.Write(block)
	}
	sum.Sum(key[:0])
	return key
}

// wants tells whether a state is to be kept.
func (l *lookup) wants(layer int) bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.useful[layer] && l.prefix[layer] != ""
}

// keep keeps a state, if there is room: what was not used since the weights last changed makes way, the oldest first, then this input's
// earlier states.
func (l *lookup) keep(layer int, k *kept) {
	r, version, need := l.reuse, l.prefix[layer], k.bytes()
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.shelves[version]; s != nil && s.kept[l.key] != nil {
		return
	}
	for r.counts.Bytes+need > r.budget && r.dropOld(version) {
	}
	for i := 0; i < layer && r.counts.Bytes+need > r.budget; i++ {
		if s := r.shelves[l.prefix[i]]; s != nil {
			r.drop(l.prefix[i], s, l.key)
		}
	}
	if r.counts.Bytes+need > r.budget {
		return
	}
	s := r.shelves[version]
	if s == nil {
		s = &shelf{layer: layer, kept: make(map[inputKey]*kept)}
		r.shelves[version] = s
	}
	s.turn, s.kept[l.key] = r.turns, k
	r.counts.Bytes += need
}

// dropOld drops one state of the shelf that was not used for longest; ok is false where all but the one of version were used.
func (r *reuse) dropOld(version string) (ok bool) {
	oldest := ""
	for v, s := range r.shelves {
		if v != version && s.turn < r.turns && (oldest == "" || s.turn < r.shelves[oldest].turn || s.turn == r.shelves[oldest].turn && s.layer < r.shelves[oldest].layer) {
			oldest = v
		}
	}
	if oldest == "" {
		return false
	}
	for key := range r.shelves[oldest].kept {
		r.drop(oldest, r.shelves[oldest], key)
		break
	}
	return true
}

func (r *reuse) drop(version string, s *shelf, key inputKey) {
	if k := s.kept[key]; k != nil {
		r.counts.Bytes -= k.bytes()
		delete(s.kept, key)
	}
	if len(s.kept) == 0 {
		delete(r.shelves, version)
	}
}
