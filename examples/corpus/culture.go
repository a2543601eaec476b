package corpus

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// Culture is one of the five corpora: its modes, rhythms, instruments and the
// way an ensemble of it sounds. Values come from [Cultures].
type Culture struct {
	Name    string // folder and file name, such as "turkish-makam"
	Title   string // for people
	Western bool   // the one corpus that a base encoder is trained on

	reference   float64 // Hz of the pitch that modes count their tonic from
	modes       []mode
	rhythms     []rhythm
	instruments []string // of the leading line, keys of timbre
	ornaments   []ornament
	drums       map[string]drum
	drumLevel   float64
	backing     func(*score, *dice, choice)
}

// ornament is a way of shaping notes that clips either have or lack.
type ornament struct {
	name  string
	kind  shape
	share float64 // of clips that have it
}

// Cultures lists the five corpora in their fixed order: western first, then
// turkish-makam, hindustani, carnatic, greek.
func Cultures() []Culture {
	return []Culture{western(), makam(), hindustani(), carnatic(), greek()}
}

// Tags lists every tag that the culture's clips may carry, sorted within each
// group: five of "mode:", three of "rhythm:", four of "instrument:", and up to
// three of "ornament:". The first twelve are the balanced ones.
func (c Culture) Tags() []string {
	var tags []string
	for _, m := range c.modes {
		tags = append(tags, "mode:"+m.name)
	}
	for _, r := range c.rhythms {
		tags = append(tags, "rhythm:"+r.name)
	}
	for _, name := range c.instruments {
		tags = append(tags, "instrument:"+name)
	}
	for _, o := range c.ornaments {
		tags = append(tags, "ornament:"+o.name)
	}
	return tags
}

// Clip renders one clip of the corpus and its tags. The samples are mono at
// 24000 Hz in [-1, 1], round(seconds*24000) of them. The result depends on the
// culture, seed, index and seconds alone, bit for bit; every index is another
// recording with its own player, room, tempo and melody.
//
// Clip panics when index is negative or seconds is not positive.
func (c Culture) Clip(seed uint64, index int, seconds float64) (samples []float32, tags []string) {
	if index < 0 || !(seconds > 0) {
		panic("corpus: Clip needs index >= 0 and seconds > 0")
	}
	ch := c.assign(seed, index)
	d := c.dice(seed, "clip", index)
	s := c.compose(d, ch, seconds)
	return s.perform(d), c.tagsOf(ch)
}

// choice is what the tags of one clip say.
type choice struct {
	mode       *mode
	rhythm     *rhythm
	instrument string
	ornaments  []ornament
}

// cell is the number of combinations of the balanced tags: 5 modes, 3 rhythms,
// 4 instruments.
const cell = 5 * 3 * 4

// assign chooses the tags of a clip. Since 5, 3 and 4 have no common factor,
// (i mod 5, i mod 3, i mod 4) runs through all 60 combinations in 60 clips, and
// any run of clips holds each mode, rhythm and instrument as often as any
// other, give or take one a cell border. What each residue means is shuffled
// anew for every 60 clips. Ornaments follow the fractional parts of multiples of
// irrational numbers, which keep their share in every run of clips too.
func (c Culture) assign(seed uint64, index int) choice {
	d := c.dice(seed, "cell", index/cell)
	modes, rhythms, instruments := d.Perm(len(c.modes)), d.Perm(len(c.rhythms)), d.Perm(len(c.instruments))
	i := index % cell
	ch := choice{
		mode:       &c.modes[modes[i%len(modes)]],
		rhythm:     &c.rhythms[rhythms[i%len(rhythms)]],
		instrument: c.instruments[instruments[i%len(instruments)]],
	}
	d = c.dice(seed, "ornaments", 0)
	steps := [3]float64{math.Sqrt2 - 1, math.Sqrt(3) - 1, (math.Sqrt(5) - 1) / 2}
	for k, o := range c.ornaments {
		if _, at := math.Modf(d.Float64() + steps[k]*float64(index)); at < o.share {
			ch.ornaments = append(ch.ornaments, o)
		}
	}
	return ch
}

func (c Culture) tagsOf(ch choice) []string {
	tags := []string{"mode:" + ch.mode.name, "rhythm:" + ch.rhythm.name, "instrument:" + ch.instrument}
	for _, o := range ch.ornaments {
		tags = append(tags, "ornament:"+o.name)
	}
	return tags
}

// has says whether the clip uses an ornament.
func (ch choice) has(kind shape) bool {
	for _, o := range ch.ornaments {
		if o.kind == kind {
			return true
		}
	}
	return false
}

// dice is a random stream with the distributions that music needs.
type dice struct{ *rand.Rand }

// dice starts the stream of one purpose: the same words, the same numbers.
func (c Culture) dice(seed uint64, purpose string, index int) *dice {
	h := fnv.New64a()
	h.Write([]byte(c.Name + "\x00" + purpose))
	return &dice{rand.New(rand.NewPCG(seed, h.Sum64()+uint64(index)*0x9e3779b97f4a7c15))}
}

// between is uniform in [low, high).
func (d *dice) between(low, high float64) float64 { return low + (high-low)*d.Float64() }

// chance is true with probability p.
func (d *dice) chance(p float64) bool { return d.Float64() < p }

// pick returns an index with probability in proportion to its weight.
func (d *dice) pick(weights []float64) int {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	at := d.Float64() * sum
	for i, w := range weights {
		if at -= w; at < 0 {
			return i
		}
	}
	return len(weights) - 1
}
