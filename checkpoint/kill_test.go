//go:build unix

package checkpoint

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A writer that replaces a sharded model is killed at random moments, most of them while it commits: from the last shard's sync to
// the removal of the old directory. Each time the old model or the new one is there, whole, and the next writer
// sweeps what was left. SYNCRETIC_KILLS sets how often, 40 times by default; at least a third must hit the commit.
func TestKilledWriter(t *testing.T) {
	kills := 40
	if text := os.Getenv("SYNCRETIC_KILLS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("SYNCRETIC_KILLS=%s: want a number", text)
		}
		kills = n
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "m")
	src, opts := generation(0)
	if err := Write(t.Context(), path, src, opts); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(uint64(kills), 1))
	const slow = 500 * time.Microsecond
	hits, olds, news := map[string]int{}, 0, 0
	leftovers := 0
	for i := range kills {
		old, next := 2*i, 2*i+1
		v := start(t, task{Path: path, Generation: next, Slow: slow})
		if i%3 == 0 {
			v.until(1, "")
			longest := []int{500, 3000, 12000}[r.IntN(3)] // whatever the speed of the disk, some come early and some late
			time.Sleep(time.Duration(r.IntN(longest)) * time.Microsecond)
		} else {
			v.until(1, fmt.Sprintf("sync model-%05d-of", victimShards))
			v.until(r.IntN(3)*4+r.IntN(4), "") // of about 12 operations; the renaming is the ninth
			time.Sleep(time.Duration(r.IntN(int(2 * slow))))
		}
		said := v.kill(t)
		phase := phaseOf(said)
		hits[phase]++
		if said[len(said)-1] != "done" && strings.HasPrefix(said[len(said)-1], "error") {
			t.Fatalf("kill %d: the writer failed before it was killed: %s", i, said[len(said)-1])
		}
		was := whichGeneration(t, path, old, next)
		switch was {
		case old:
			olds++
		case next:
			news++
		}
		if phase == "before" && was != old || phase == "after" && was != next {
			t.Errorf("kill %d, %s the commit: generation %d, of %d and %d", i, phase, was, old, next)
		}
		if list, _ := os.ReadDir(dir); len(list) > 1 {
			leftovers++
		}
		src, opts := generation(old + 2)
		if err := Write(t.Context(), path, src, opts); err != nil {
			t.Fatalf("kill %d: the next writer: %v", i, err)
		}
		if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
			t.Fatalf("kill %d: the next writer left %v, %v", i, list, err)
		}
	}
	t.Logf("%d kills: %d before, %d while, %d after the commit; %d times the old model, %d the new; %d times leftovers to sweep",
		kills, hits["before"], hits["while"], hits["after"], olds, news, leftovers)
	if canTellDead && (hits["while"] < kills/3 || hits["before"] == 0 || olds == 0 || news == 0) {
		t.Errorf("of %d kills %v, with %d old and %d new models: want a third while the writer commits, and some of each", kills, hits, olds, news)
	}
}

// phaseOf tells when a writer was killed from what it said.
func phaseOf(said []string) string {
	last := fmt.Sprintf("sync model-%05d-of-%05[1]d.safetensors", victimShards)
	switch {
	case said[len(said)-1] == "done":
		return "after"
	case slices.Contains(said, last):
		return "while"
	}
	return "before"
}

// whichGeneration tells which of some generations is at path, whole: tensors, files, index and side file.
func whichGeneration(t *testing.T, path string, of ...int) int {
	t.Helper()
	report, err := Verify(t.Context(), path, VerifyOptions{})
	if err != nil || len(report.Broken) > 0 {
		t.Fatalf("not in order: %v, %v", report, err)
	}
	got := hash(t, open(t, path))
	config, err := os.ReadFile(filepath.Join(path, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range of {
		if src, opts := generation(n); hash(t, src) == got && string(config) == string(opts.SideFiles[0].Data) {
			if list, err := os.ReadDir(path); err != nil || len(list) != victimShards+2 {
				t.Fatalf("generation %d has the files %v, %v", n, list, err)
			}
			return n
		}
	}
	t.Fatalf("neither of the generations %d; config.json is %s", of, config)
	return -1
}

// A writer that resumes is killed again and again, as often as it takes: it writes each shard at least once, keeps those that are
// finished, and ends with the bytes of a writer that nobody disturbed.
func TestKilledWriterResumes(t *testing.T) {
	dir := t.TempDir()
	src, opts := generation(7)
	want := filepath.Join(dir, "want")
	if err := Write(t.Context(), want, src, opts); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 5))
	kept, starts := 0, 0
	for round := range 6 {
		path := filepath.Join(dir, fmt.Sprint("m", round))
		for done := false; !done; {
			v := start(t, task{Path: path, Generation: 7, Resume: "recipe", SlowAll: 200 * time.Microsecond})
			starts++
			if r.IntN(4) > 0 {
				v.until(1+r.IntN(2), "sync "+journalName)
				v.until(r.IntN(6), "")
			} else {
				v.until(r.IntN(60), "")
			}
			time.Sleep(time.Duration(r.IntN(800)) * time.Microsecond)
			said := v.kill(t)
			if len(said) > 0 {
				done = said[len(said)-1] == "done"
				if strings.HasPrefix(said[len(said)-1], "error") {
					t.Fatalf("start %d: %s", starts, said[len(said)-1])
				}
			}
			if slices.Contains(said, "create model.safetensors.index.json") {
				for i := range victimShards {
					if !slices.Contains(said, fmt.Sprintf("create model-%05d-of-%05d.safetensors", i+1, victimShards)) {
						kept++
					}
				}
			}
		}
		if got := strings.ReplaceAll(contents(t, path), path, want); got != contents(t, want) {
			t.Errorf("round %d: other files than an undisturbed writer's", round)
		}
		if rest, _ := filepath.Glob(filepath.Join(dir, ".*")); len(rest) > 0 {
			t.Errorf("round %d left %q", round, rest)
		}
	}
	t.Logf("%d starts for 6 outputs of %d shards; the last ones did not write %d shards again", starts, victimShards, kept)
	if kept == 0 && canTellDead {
		t.Error("no finished shard was ever kept")
	}
}
