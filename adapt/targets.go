package adapt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"syncretic/checkpoint"
)

// Targets are what a teacher says of the recordings of one corpus, computed once and kept as safetensors: for recording i
// the tensors "i/cqt" F16 [frames][bins] and "i/codes" I16 [codebooks][frames]. Readers share the mapped files.
type Targets struct {
	shards []*checkpoint.Model
	books  int
	bins   int
	frames []int // by recording
}

// shardRecordings bounds how much is held in memory while targets are computed.
const shardRecordings = 256

// OpenTargets opens the cached targets of a corpus below dir and computes those that are missing, in parallel over
// recordings; progress, which may be nil, hears how many recordings are done. The cache's name holds a hash of the teacher
// and of the recordings' names, places, sizes and times, so that a changed file is computed again.
func OpenTargets(ctx context.Context, dir string, t *Teacher, c *Corpus, progress func(done, total int)) (*Targets, error) {
	key, err := targetsKey(ctx, t, c)
	if err != nil {
		return nil, err
	}
	targets := &Targets{books: t.cfg.Codebooks, bins: t.Bins()}
	for from := 0; from < len(c.Recordings); from += shardRecordings {
		part := c.Recordings[from:min(from+shardRecordings, len(c.Recordings))]
		path := filepath.Join(dir, fmt.Sprintf("%s-%s-%05d.safetensors", c.Name, key, from/shardRecordings))
		m, err := checkpoint.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			if err = buildShard(ctx, path, t, part, from); err == nil || errors.Is(err, fs.ErrExist) { // another run made it meanwhile
				m, err = checkpoint.Open(path)
			}
		}
		if err != nil {
			targets.Close()
			return nil, fmt.Errorf("targets of corpus %s: %w", c.Name, err)
		}
		targets.shards = append(targets.shards, m)
		for _, r := range part {
			targets.frames = append(targets.frames, t.frames(r))
		}
		if progress != nil {
			progress(from+len(part), len(c.Recordings))
		}
	}
	return targets, nil
}

func targetsKey(ctx context.Context, t *Teacher, c *Corpus) (string, error) {
	teacher, err := t.hash()
	if err != nil {
		return "", err
	}
	tokens, err := t.identities(ctx, c)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintln(h, teacher, tokens)
	for _, r := range c.Recordings {
		info, err := os.Stat(r.Path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %d %d %d %d%s\n", r.ID, r.Start, r.Len, info.Size(), info.ModTime().UnixNano(), r.preparation())
	}
	return hex.EncodeToString(h.Sum(nil)[:6]), nil
}

func buildShard(ctx context.Context, path string, t *Teacher, recordings []Recording, first int) error {
	tensors := make([]checkpoint.Tensor, 2*len(recordings))
	err := parallel(ctx, len(recordings), func(i int) error {
		spectrum, c, err := t.Label(recordings[i])
		if err != nil {
			return err
		}
		frames := len(spectrum) / t.Bins()
		flat := make([]int64, 0, len(c)*frames)
		for _, book := range c {
			for _, v := range book {
				flat = append(flat, int64(v))
			}
		}
		tensors[2*i] = checkpoint.Tensor{Name: fmt.Sprintf("%d/cqt", first+i), Shape: []int{frames, t.Bins()}, Data: spectrum}
		tensors[2*i+1], err = checkpoint.NewIntegers(fmt.Sprintf("%d/codes", first+i), checkpoint.I16, []int{len(c), frames}, flat)
		return err
	})
	if err != nil {
		return err
	}
	src, err := checkpoint.NewMemory(tensors...)
	if err != nil {
		return err
	}
	return checkpoint.Write(ctx, path, src, checkpoint.WriteOptions{DType: checkpoint.F16})
}

// Spectrum fills dst with frames [from, from+len(dst)/bins) of a recording.
func (t *Targets) Spectrum(recording, from int, dst []float32) error {
	if err := t.has(recording, from, len(dst)/t.bins); err != nil {
		return err
	}
	return t.shards[recording/shardRecordings].Read(fmt.Sprintf("%d/cqt", recording), from*t.bins, dst)
}

// Codes returns one codebook's entries of frames [from, from+n) of a recording.
func (t *Targets) Codes(recording, book, from, n int) ([]int32, error) {
	if err := t.has(recording, from, n); err != nil {
		return nil, err
	}
	values := make([]float32, n)
	if err := t.shards[recording/shardRecordings].Read(fmt.Sprintf("%d/codes", recording), book*t.frames[recording]+from, values); err != nil {
		return nil, err
	}
	codes := make([]int32, n)
	for i, v := range values {
		codes[i] = int32(v)
	}
	return codes, nil
}

// has reports frames that a recording does not have.
func (t *Targets) has(recording, from, n int) error {
	if from < 0 || n < 0 || from+n > t.frames[recording] {
		return fmt.Errorf("targets: frames [%d, %d) of recording %d asked, it has %d", from, from+n, recording, t.frames[recording])
	}
	return nil
}

// Frames is the number of frames of a recording.
func (t *Targets) Frames(recording int) int { return t.frames[recording] }

// Close unmaps the files.
func (t *Targets) Close() error {
	var errs []error
	for _, m := range t.shards {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}

// parallel calls f for every i in [0, n) on GOMAXPROCS goroutines and returns the error of the lowest i that failed. After a
// failure or a cancelled context no further call begins.
func parallel(ctx context.Context, n int, f func(i int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, n)
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := range next {
				if errs[i] = f(i); errs[i] != nil {
					cancel()
				}
			}
		})
	}
	var stopped error
feed:
	for i := range n {
		select {
		case next <- i:
		case <-ctx.Done():
			stopped = ctx.Err()
			break feed
		}
	}
	close(next)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return stopped
}
