package adapt

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"sort"

	"syncretic/adapt/audio"
)

// A loss on audio that is learnt from as well says nothing of what is learnt of music. Files are told apart by their paths,
// links followed: two copies of one recording are two.

// stretch is a part of a file, in samples.
type stretch struct {
	from, to int
	corpus   string
	furthest int // index of the stretch that reaches furthest, of those that begin no later
}

// refuseLeaks returns an error that names both where a held-out corpus and one that is learnt from share a part of a file.
func refuseLeaks(learnt []*Corpus, held []EvalCorpus) error {
	real := map[string]string{}
	resolve := func(path string) string {
		if at, ok := real[path]; ok {
			return at
		}
		at, err := filepath.EvalSymlinks(path)
		if err == nil {
			at, err = filepath.Abs(at)
		}
		if err != nil {
			at = path // it was opened under this name a moment ago
		}
		real[path] = at
		return at
	}
	files := map[string][]stretch{}
	for _, c := range learnt {
		for _, r := range c.Recordings {
			at := resolve(r.Path)
			files[at] = append(files[at], stretch{from: r.Start, to: r.Start + r.Len, corpus: c.Name})
		}
	}
	for _, parts := range files {
		slices.SortFunc(parts, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
		for i := range parts {
			parts[i].furthest = i
			if i > 0 && parts[parts[i-1].furthest].to >= parts[i].to {
				parts[i].furthest = parts[i-1].furthest
			}
		}
	}
	for _, c := range held {
		for _, r := range c.Recordings {
			parts := files[resolve(r.Path)]
			before := sort.Search(len(parts), func(i int) bool { return parts[i].from >= r.Start+r.Len }) // those that begin before its end
			if before == 0 {
				continue
			}
			if p := parts[parts[before-1].furthest]; p.to > r.Start {
				from, to := max(p.from, r.Start), min(p.to, r.Start+r.Len)
				return fmt.Errorf("%w: heldout: corpus %s: %s: %.2f to %.2f s are learnt from too, as part of corpus %s, so they cannot be held out",
					ErrConfig, c.Name, r.Path, float64(from)/audio.SampleRate, float64(to)/audio.SampleRate, p.corpus)
			}
		}
	}
	return nil
}
