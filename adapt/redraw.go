package adapt

import (
	"encoding/json"
	"fmt"
	"slices"

	"syncretic/adapt/audio"
)

// A crop that cannot be read although its file's header could, as of a disk that fails or a file that changed, ends a run, but not one whose
// corpus says skip_bad: there another crop of the same corpus takes its place. Which one is a function of the place alone, so that a
// resumed run draws the same while the same files fail. Each such file is named once, in the record of the step that met it first.

// maxRedraws is how many crops of one slot may fail before the run is given up: by then it is no single file.
const maxRedraws = 100

// Redraw returns the crop that replaces one that could not be read: of the same corpus, so that the mix stays as it is.
func (s *Sampler) Redraw(c *Corpus, stage, step, micro, slot, attempt int) Crop {
	rng := stream(s.seed, "redraw", stage, step, micro, slot, attempt)
	return s.crop(slices.Index(s.corpora, c), rng)
}

// read fills a slot of a batch with its crop's audio, or with that of a crop that takes its place, and returns which.
func (l *loader) read(b *batch, slot int, crop Crop) (Crop, error) {
	dst := b.samples[slot*l.samples : (slot+1)*l.samples]
	for attempt := 0; ; attempt++ {
		r := crop.Corpus.Recordings[crop.Recording]
		err := r.Read(dst, crop.Start)
		if err == nil {
			return crop, nil
		}
		if l.redraw == nil || !crop.Corpus.skipBad {
			return crop, err
		}
		if attempt == maxRedraws {
			return crop, fmt.Errorf("corpus %s: %d crops one after another cannot be read, the last: %w", crop.Corpus.Name, attempt+1, err)
		}
		b.unread = append(b.unread, audio.Skipped{Path: r.Path, Reason: err.Error()})
		crop = l.redraw(crop.Corpus, slot, attempt)
	}
}

// note counts a batch's replaced crops, and takes down those of their files that the run had not met before.
func (r *Run) note(rec *Record, b *batch) {
	rec.Replaced += len(b.unread)
	rec.Unread = r.unmet(append(rec.Unread, b.unread...))
}

// unmet are the files that the run had not met before, each once.
func (r *Run) unmet(files []audio.Skipped) []audio.Skipped {
	var fresh []audio.Skipped
	for _, s := range files {
		same := func(known audio.Skipped) bool { return known.Path == s.Path }
		if !slices.ContainsFunc(r.unread, same) && !slices.ContainsFunc(fresh, same) {
			fresh = append(fresh, s)
		}
	}
	return fresh
}

// met remembers the files of a record, which are those of all processes.
func (r *Run) met(rec *Record) {
	rec.Unread = r.unmet(rec.Unread)
	r.unread = append(r.unread, rec.Unread...)
}

// recall takes the files from a line of the log that an interrupted run left.
func (r *Run) recall(line []byte) {
	var rec struct {
		Unread []audio.Skipped `json:"unread"`
	}
	if json.Unmarshal(line, &rec) == nil {
		r.unread = append(r.unread, rec.Unread...)
	}
}
