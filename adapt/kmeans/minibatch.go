package kmeans

import (
	"context"
	"fmt"
	"math/rand/v2"
)

// kept is the share of its weight that a centre takes from one pass into the next. On mixtures of Gaussians 1 (Sculley) ends 1 to 2 %
// above the error of as many of Lloyd's steps over all frames, 0 and 0.1 end 1 to 4 % below it; 0 suffers when batches are small.
const kept = 0.1

// batches is a fit to more frames than are held at once.
type batches struct {
	src   Frames
	dim   int
	f     *fitting // room for a batch
	most  int      // frames in a batch
	mean  []float32
	books []codebook

	start, stride int // of the order in which a pass takes frames
}

func fitBatches(ctx context.Context, src Frames, dim int, cfg Config) (*Quantizer, error) {
	b := &batches{src: src, dim: dim, most: cfg.batch(), f: newFitting(cfg.batch(), dim)}
	if err := b.findMean(ctx); err != nil {
		return nil, err
	}
	b.order(rand.New(rand.NewPCG(cfg.Seed, 1<<32)))
	for q := range cfg.Codebooks {
		centres, err := b.fitBook(ctx, cfg, q)
		if err != nil {
			return nil, fmt.Errorf("fit codebook %d: %w", q, err)
		}
		if q == 0 {
			centres = moved(centres, b.mean, 1)
		}
		b.books = append(b.books, newCodebook(centres, cfg.Size, dim))
	}
	variance, err := b.residualVariance(ctx)
	if err != nil {
		return nil, err
	}
	return newQuantizer(b.books, variance)
}

// order draws how a pass goes through the frames: from a drawn frame on in strides near the golden section of their number, without a
// divisor in common with it. Each frame comes once, and any stretch of a pass is spread evenly over the whole table.
func (b *batches) order(rng *rand.Rand) {
	n := b.src.Len()
	b.start = rng.IntN(n)
	for b.stride = int(0.6180339887498949 * float64(n)); gcd(b.stride, n) != 1; b.stride++ {
	}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// steps is the number of batches in a pass.
func (b *batches) steps() int { return (b.src.Len() + b.most - 1) / b.most }

// load reads the frames of a step and leaves of them what the codebooks so far leave over.
func (b *batches) load(ctx context.Context, step int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n, f := b.src.Len(), b.f
	first := step * b.most
	f.resize(min(b.most, n-first))
	at := int((uint64(b.start) + uint64(first)*uint64(b.stride)) % uint64(n))
	for row := f.residual; len(row) > 0; row = row[b.dim:] {
		if err := readFrames(b.src, row[:b.dim], b.dim, at); err != nil {
			return err
		}
		if at += b.stride; at >= n {
			at -= n
		}
	}
	if len(b.books) == 0 {
		f.shift(b.mean) // see fitWhole
	}
	for q := range b.books {
		f.subtract(&b.books[q])
	}
	f.measure()
	return nil
}

// fitBook fits the next codebook: its centres, [Size][dim].
func (b *batches) fitBook(ctx context.Context, cfg Config, q int) ([]float32, error) {
	var centres []float32
	weight := make([]float64, cfg.Size)
	for range cfg.Iterations {
		seen := make([]int, cfg.Size) // frames in this pass
		var counts []int
		for step := range b.steps() {
			if err := b.load(ctx, step); err != nil {
				return nil, err
			}
			if centres == nil {
				centres = b.f.seeds(cfg.Size, cfg.seeded(q))
			}
			book := plainCodebook(centres, cfg.Size, b.dim)
			b.f.assign(&book)
			counts = b.f.count(cfg.Size)
			b.f.pull(centres, weight, counts)
			for j, n := range counts {
				seen[j] += n
			}
		}
		b.f.refill(centres, weight, seen, counts)
		for j := range weight {
			weight[j] *= kept
		}
	}
	return centres, nil
}

// pull moves each centre with frames to the mean of what it has been moved by so far, by weight, and of these frames.
func (f *fitting) pull(centres []float32, weight []float64, counts []int) {
	sums := make([]float64, len(centres))
	f.sum(sums)
	for j, n := range counts {
		if n == 0 {
			continue
		}
		weight[j] += float64(n)
		share := float64(n) / weight[j]
		for d := j * f.dim; d < (j+1)*f.dim; d++ {
			c := float64(centres[d])
			centres[d] = float32(c + share*(sums[d]/float64(n)-c))
		}
	}
}

// refill moves each centre that no frame of a pass came to, the lowest first, to the frame at hand that is furthest from its own centre.
func (f *fitting) refill(centres []float32, weight []float64, seen, counts []int) {
	for j, n := range seen {
		if n > 0 {
			continue
		}
		at := f.furthest(counts)
		if at < 0 {
			return
		}
		counts[f.codes[at]]--
		f.distance[at] = 0
		copy(centres[j*f.dim:(j+1)*f.dim], f.residual[at*f.dim:])
		weight[j] = 0
	}
}

// inOrder calls work for all frames, a batch at a time, in the table's order.
func (b *batches) inOrder(ctx context.Context, work func(from int) error) error {
	for from := 0; from < b.src.Len(); from += b.most {
		if err := ctx.Err(); err != nil {
			return err
		}
		b.f.resize(min(b.most, b.src.Len()-from))
		if err := readFrames(b.src, b.f.residual, b.dim, from); err != nil {
			return err
		}
		if err := work(from); err != nil {
			return err
		}
	}
	return nil
}

func (b *batches) findMean(ctx context.Context) error {
	sums := make([]float64, b.dim) // all codes are 0 as yet
	err := b.inOrder(ctx, func(int) error {
		b.f.sum(sums)
		return nil
	})
	b.mean = divided(sums, b.src.Len())
	return err
}

// residualVariance is the share of the frames' variance that is left after each codebook.
func (b *batches) residualVariance(ctx context.Context) ([]float32, error) {
	total, left := 0.0, make([]float64, len(b.books))
	err := b.inOrder(ctx, func(from int) error {
		b.f.shift(b.mean)
		total += b.f.measure()
		if err := readFrames(b.src, b.f.residual, b.dim, from); err != nil {
			return err
		}
		for q := range b.books {
			b.f.subtract(&b.books[q])
			left[q] += b.f.measure()
		}
		return nil
	})
	return shares(left, total), err
}
