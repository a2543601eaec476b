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

	"syncretic/checkpoint"
)

// Targets are what a teacher says of the recordings of one corpus, computed once and kept as safetensors: for recording i
// the tensors "i/cqt" F16 [frames][bins] and "i/codes" I16 [codebooks][frames]. Readers share the mapped files.
//
// With TeacherConfig.Spectrum "crop" there are codes only: the spectrum, which takes 2*bins bytes a frame, 180 MB an hour for MERT's, is
// computed of every crop as it is drawn. The two differ at a crop's ends, by as much as a window there reaches out of the crop
// (half of 2.1 s for MERT's lowest bin, of 17 ms for its highest): the cached one sees the music outside, the crop's sees silence, as
// MERT's own training does.
type Targets struct {
	shards []*checkpoint.Model
	shard  []int // by recording
	books  int
	bins   int
	frames []int // by recording
}

// A shard, one file, holds no more recordings than this, and no more frames unless one recording has them.
const (
	shardRecordings = 256
	shardFrames     = 1 << 21 // 7.8 h
)

// shardOf distributes recordings of the given numbers of frames over shards, in order.
func shardOf(frames []int, most int) (shard []int, plain bool) {
	plain = true // as if recordings alone counted
	n, held, sum := 0, 0, 0
	for i, f := range frames {
		if held == shardRecordings || held > 0 && sum+f > most {
			n, held, sum = n+1, 0, 0
		}
		held, sum = held+1, sum+f
		shard = append(shard, n)
		plain = plain && n == i/shardRecordings
	}
	return shard, plain
}

// OpenTargets opens the cached targets of a corpus below dir and computes those that are missing, in parallel over
// recordings; progress, which may be nil, hears how many recordings are done. The cache's name holds a hash of the teacher
// and of the recordings' names, places, sizes and times, so that a changed file is computed again.
//
// However long the recordings are, it holds at most 128 MB of spectra, what two blocks of the transform take on every core, and the codes of
// a shard, 2 bytes a codebook and frame (4.3 MB an hour for MERT's eight); more spectra lie in a file in dir until the shard is written.
func OpenTargets(ctx context.Context, dir string, t *Teacher, c *Corpus, progress func(done, total int)) (*Targets, error) {
	targets := &Targets{books: t.cfg.Codebooks, bins: t.Bins()}
	for _, r := range c.Recordings {
		targets.frames = append(targets.frames, t.frames(r))
	}
	names, err := targets.files(ctx, dir, t, c)
	if err != nil {
		return nil, err
	}
	from := 0
	for i, path := range names {
		to := from
		for to < len(c.Recordings) && targets.shard[to] == i {
			to++
		}
		m, err := checkpoint.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			b := &shardBuilder{teacher: t, recordings: c.Recordings[from:to], frames: targets.frames[from:to], first: from, held: heldSpectra}
			if err = b.write(ctx, path); err == nil || errors.Is(err, fs.ErrExist) { // another run made it meanwhile
				m, err = checkpoint.Open(path)
			}
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("targets of corpus %s: %w", c.Name, err), targets.Close())
		}
		targets.shards = append(targets.shards, m)
		if from = to; progress != nil {
			progress(from, len(c.Recordings))
		}
	}
	return targets, nil
}

// files distributes the recordings over shards and names their files.
func (t *Targets) files(ctx context.Context, dir string, teacher *Teacher, c *Corpus) ([]string, error) {
	var plain bool
	t.shard, plain = shardOf(t.frames, shardFrames)
	key, err := targetsKey(ctx, teacher, c, plain)
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range t.shard[len(t.shard)-1] + 1 {
		names = append(names, filepath.Join(dir, fmt.Sprintf("%s-%s-%05d.safetensors", c.Name, key, i)))
	}
	return names, nil
}

func targetsKey(ctx context.Context, t *Teacher, c *Corpus, plain bool) (string, error) {
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
	if t.crop {
		fmt.Fprintln(h, "codes alone")
	}
	if !plain { // there were shards of as many recordings with more frames once
		fmt.Fprintln(h, "shards of frames", shardFrames)
	}
	for _, r := range c.Recordings {
		info, err := os.Stat(r.Path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %d %d %d %d%s\n", r.ID, r.Start, r.Len, info.Size(), info.ModTime().UnixNano(), r.preparation())
	}
	return hex.EncodeToString(h.Sum(nil)[:6]), nil
}

// Spectrum fills dst with frames [from, from+len(dst)/bins) of a recording. It is an error where only codes are kept.
func (t *Targets) Spectrum(recording, from int, dst []float32) error {
	if err := t.has(recording, from, len(dst)/t.bins); err != nil {
		return err
	}
	return t.shards[t.shard[recording]].Read(fmt.Sprintf("%d/cqt", recording), from*t.bins, dst)
}

// Codes returns one codebook's entries of frames [from, from+n) of a recording.
func (t *Targets) Codes(recording, book, from, n int) ([]int32, error) {
	if err := t.has(recording, from, n); err != nil {
		return nil, err
	}
	values := make([]float32, n)
	if err := t.shards[t.shard[recording]].Read(fmt.Sprintf("%d/codes", recording), book*t.frames[recording]+from, values); err != nil {
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
