package probe

import (
	"errors"
	"sort"
	"sync/atomic"
)

// cached are the rows of a cache's shards.
type cached struct {
	shards []*shard
	first  []int // row at which each shard begins, and last the number of rows
	size   int   // bytes of a row

	handed atomic.Int64 // bytes of rows handed out since the pages were last given back
}

// resident bounds the pages of mapped files that rows were read from, in bytes.
const resident = 256 << 20

func newCached(shards []*shard, layers, dim int) *cached {
	c := &cached{shards: shards, first: []int{0}, size: 4 * layers * dim}
	for _, s := range shards {
		c.first = append(c.first, c.first[len(c.first)-1]+s.rows())
	}
	return c
}

// Row finds the shard of a row. Every so often it gives the pages that were touched back to the system, so that features larger than
// memory leave room for others.
func (c *cached) Row(i int, buf []float32) ([]float32, error) {
	if c.handed.Add(int64(c.size)) > resident {
		c.handed.Store(0)
		for _, s := range c.shards {
			s.model.Forget()
		}
	}
	k := sort.SearchInts(c.first, i+1) - 1 // the last that begins at i or before; those without rows begin where the next does
	return c.shards[k].row(i-c.first[k], buf)
}

// Close unmaps the files.
func (c *cached) Close() error {
	var errs []error
	for _, s := range c.shards {
		errs = append(errs, s.model.Close())
	}
	return errors.Join(errs...)
}
