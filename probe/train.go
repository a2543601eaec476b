package probe

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/op"
	"syncretic/adapt/optim"
)

// lane is one mlp in training: a learning rate and a choice of layers, of one seed. Its weights depend on nothing but these, the
// splits and the configuration.
type lane struct {
	candidate
	at, width int // inputs of a row that are its own: [at, at+width)

	mlp, grad *mlp
	adam      *optim.AdamW
	drops     *rand.Rand // seeds of the dropout masks
	pass      activations
	views     [][]float32
	targets   []float32

	schedule plateau
	loss     float64 // sum over the rows of this epoch
	err      error

	best   *mlp // the weights of chosen.Epoch
	chosen Chosen
	score  float64
	done   bool
}

// newLane draws the initial weights; picked are the layers that rows hold.
func newLane(c candidate, picked []int, dim, tags int, cfg HeadConfig) *lane {
	l := &lane{candidate: c, at: (c.picked[0] - picked[0]) * dim, width: len(c.picked) * dim}
	l.mlp = newMLP(len(c.picked), dim, cfg.Hidden, tags, rand.New(rand.NewPCG(cfg.Seed, 1)))
	l.grad, l.best = emptyMLP(len(c.picked), dim, cfg.Hidden, tags), emptyMLP(len(c.picked), dim, cfg.Hidden, tags)
	grads := l.grad.tensors()
	var params []optim.Param
	for i, t := range l.mlp.tensors() {
		p := op.Param(1, len(t.Data), t.Data)
		p.AccGrad(shared{op.Tensor(1, len(t.Data), grads[i].Data)})
		params = append(params, optim.Param{Name: t.Name, Value: p})
	}
	l.adam = optim.NewAdamW(optim.AdamWConfig{}, params)
	l.drops = rand.New(rand.NewPCG(cfg.Seed, 3))
	l.schedule, l.score = newPlateau(c.lr, cfg.Patience), math.Inf(-1)
	return l
}

// shared is a gradient that a parameter takes as it is: spago clones the first that it is given.
type shared struct{ *mat.Dense[float32] }

// Clone returns the matrix itself.
func (s shared) Clone() mat.Matrix { return s.Dense }

// own returns the lane's part of every row.
func (l *lane) own(rows [][]float32) [][]float32 {
	l.views = l.views[:0]
	for _, row := range rows {
		l.views = append(l.views, row[l.at:l.at+l.width])
	}
	return l.views
}

// step updates the weights by one batch; at are the rows' numbers.
func (l *lane) step(rows [][]float32, at []int, t *targets, drop float64, workers int) {
	views := l.own(rows)
	l.targets = t.rows(l.targets[:0], at)
	mask := dropout{p: drop, seed: l.drops.Uint64()}
	l.mlp.forward(&l.pass, views, mask, workers)
	loss := t.task.gradient(l.pass.z, l.targets, l.mlp.tags)
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		l.err = fmt.Errorf("%w: the loss is %v", ErrInvalid, loss)
		return
	}
	l.mlp.backward(l.grad, &l.pass, views, mask, workers)
	l.adam.Step(l.schedule.lr)
	l.loss += loss * float64(len(rows))
}

// endEpoch notes the score of an epoch on valid, keeps the weights if it is the highest, and decides about the next.
func (l *lane) endEpoch(epoch, rows, stop int, score float64) {
	l.chosen.Trials = append(l.chosen.Trials, Trial{Epoch: epoch, LR: l.schedule.lr, Loss: l.loss / float64(rows), Score: score})
	l.loss = 0
	if score > l.score {
		l.score, l.chosen.Epoch = score, epoch
		l.best.copyFrom(l.mlp)
	}
	l.done = epoch-l.chosen.Epoch >= stop
	l.schedule.step(score)
}

// course trains the lanes of one seed together: they see the same batches, which are read once for all of them.
type course struct {
	lanes   []*lane
	train   *reader
	valid   *reader
	targets *targets // of train
	judge   Split    // valid
	cfg     HeadConfig
	order   []int
	shuffle *rand.Rand
}

func newCourse(s *scaler, train, valid Split, cfg HeadConfig, candidates []candidate) *course {
	c := &course{
		train: &reader{f: train.Features, s: s}, valid: &reader{f: valid.Features, s: s},
		targets: newTargets(train), judge: valid, cfg: cfg, order: make([]int, len(train.Features.Items)),
		shuffle: rand.New(rand.NewPCG(cfg.Seed, 2)),
	}
	for i := range c.order {
		c.order[i] = i
	}
	for _, candidate := range candidates {
		c.lanes = append(c.lanes, newLane(candidate, s.layers, s.dim, len(train.Tags), cfg))
	}
	return c
}

// run trains until every lane has stopped. workers says how many goroutines may work, and is asked again for each batch.
func (c *course) run(ctx context.Context, workers func() int) error {
	for epoch := 1; epoch <= c.cfg.Epochs && len(c.running()) > 0; epoch++ {
		if err := c.epoch(ctx, workers); err != nil {
			return fmt.Errorf("epoch %d: %w", epoch, err)
		}
		if err := c.score(epoch, workers()); err != nil {
			return fmt.Errorf("epoch %d: %w", epoch, err)
		}
	}
	return nil
}

// running returns the lanes that have not stopped.
func (c *course) running() (left []*lane) {
	for _, l := range c.lanes {
		if !l.done {
			left = append(left, l)
		}
	}
	return left
}

// epoch goes once over the rows in a new order.
func (c *course) epoch(ctx context.Context, workers func() int) error {
	c.shuffle.Shuffle(len(c.order), func(i, j int) { c.order[i], c.order[j] = c.order[j], c.order[i] })
	lanes := c.running()
	for start := 0; start < len(c.order); start += c.cfg.Batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		batch := c.order[start:min(start+c.cfg.Batch, len(c.order))]
		n := workers()
		rows, err := c.train.read(batch, n)
		if err != nil {
			return err
		}
		spread, each := divide(n, len(lanes))
		share(len(lanes), spread, func(i int) { lanes[i].step(rows, batch, c.targets, c.cfg.Dropout, each) })
		for _, l := range lanes {
			if l.err != nil {
				return fmt.Errorf("lr %g, layers %s: %w", l.lr, l.layers, l.err)
			}
		}
	}
	return nil
}

// divide says how many lanes work at a time, and with how many goroutines each: products are small, so that lanes side by
// side are quicker than one after the other on all cores.
func divide(workers, lanes int) (atOnce, each int) {
	if lanes > 1 {
		return workers, 1
	}
	return 1, workers
}

// score judges the lanes on the valid items.
func (c *course) score(epoch, workers int) error {
	lanes := c.running()
	logits := make([]*means, len(lanes))
	for i := range lanes {
		logits[i] = newMeans(c.judge.Features, len(c.judge.Tags))
	}
	atOnce, each := divide(workers, len(lanes))
	err := c.valid.blocks(workers, func(first int, rows [][]float32) error {
		share(len(lanes), atOnce, func(i int) {
			l := lanes[i]
			l.mlp.forward(&l.pass, l.own(rows), dropout{}, each)
			logits[i].add(first, l.pass.z)
		})
		return nil
	})
	if err != nil {
		return err
	}
	share(len(lanes), atOnce, func(i int) {
		l := lanes[i]
		var score float64
		if score, l.err = c.judge.score(logits[i].sums); l.err == nil {
			l.endEpoch(epoch, len(c.order), c.cfg.Stop, score)
		}
	})
	for _, l := range lanes {
		if l.err != nil {
			return fmt.Errorf("lr %g, layers %s: %w", l.lr, l.layers, l.err)
		}
	}
	return nil
}
