package adapt

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"syncretic/checkpoint"
)

// watchedConfig is the tiny recipe, measured every second step.
func watchedConfig(t *testing.T, dir string) Config {
	t.Helper()
	cfg := tinyConfig(t, dir)
	cfg.Heldout = HeldoutConfig{Every: 2, Split: "valid", Clips: 1}
	return cfg
}

// measurements reads heldout.jsonl, without what differs between two runs.
func measurements(t *testing.T, dir string) (list []HeldoutRecord) {
	t.Helper()
	for line := range bytes.Lines(read(t, dir, heldoutLog)) {
		var r HeldoutRecord
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		if r.Seconds <= 0 || r.Time.IsZero() {
			t.Errorf("step %d took %v s at %v", r.Step, r.Seconds, r.Time)
		}
		r.Seconds, r.Time = 0, time.Time{}
		list = append(list, r)
	}
	return list
}

// places are a log's steps with their corpora.
func places(list []HeldoutRecord) (text []string) {
	for _, r := range list {
		text = append(text, fmt.Sprint(r.Step, " ", r.Stage, " ", r.Corpus))
	}
	return text
}

func TestHeldoutChangesNoWeights(t *testing.T) {
	dir := t.TempDir()
	cfg := watchedConfig(t, dir)
	without := cfg
	without.Heldout = HeldoutConfig{}
	plain, watched := filepath.Join(dir, "plain"), filepath.Join(dir, "watched")
	if err := open(t, without).Train(t.Context(), plain, Options{}); err != nil {
		t.Fatal(err)
	}
	run := open(t, cfg)
	var heard []string
	if err := run.Train(t.Context(), watched, Options{Heldout: func(now HeldoutRecord, base *HeldoutRecord) {
		heard = append(heard, fmt.Sprint(now.Step, " ", now.Stage, " ", now.Corpus))
		if base == nil || base.Step != 0 || base.Corpus != now.Corpus || now.Step == 0 && base.CE != now.CE {
			t.Errorf("step %d of %s: base %+v", now.Step, now.Corpus, base)
		}
	}}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"model.safetensors", headsFile} {
		if !bytes.Equal(read(t, plain, name), read(t, watched, name)) {
			t.Errorf("%s: measuring changed it", name)
		}
	}
	want := []string{"0  low", "0  high", "2 front-end low", "2 front-end high", "4 all low", "4 all high", "6 all low", "6 all high"}
	list := measurements(t, watched)
	if !slices.Equal(places(list), want) || !slices.Equal(heard, want) {
		t.Errorf("measured %q, heard %q, want %q", places(list), heard, want)
	}
	if _, err := os.Stat(filepath.Join(plain, heldoutLog)); err == nil {
		t.Error("a run without the key leaves a log of held-out losses")
	}
	if got := run.Heldout(); len(got) != 2 || got[0].Clips != 1 || got[0].Of != 2 || got[0].Set == "" || got[0].Set == got[1].Set {
		t.Errorf("held-out corpora %+v, want one of two clips of each", got)
	}

	// The last line is what an evaluation of the output on the same crops says.
	valid := slices.Clone(cfg.Corpora)
	for i := range valid {
		valid[i].Split = "valid"
	}
	eval := cfg.Eval(valid, cfg.Seed)
	eval.Clips = 1
	e, err := OpenEvaluation(t.Context(), eval, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	m, err := e.Open(watched, "")
	if err != nil {
		t.Fatal(err)
	}
	scores, err := e.Measure(t.Context(), m.Model, nil)
	if err != nil {
		t.Fatal(err)
	}
	if last := list[len(list)-2:]; !reflect.DeepEqual(scores, []Score{last[0].Score, last[1].Score}) {
		t.Errorf("the log ends in %+v, an evaluation gives %+v", last, scores)
	}
}

// Wherever a run is interrupted, the logs and the event file of the resumed one hold every step once, and what was measured
// is not measured again.
func TestHeldoutResumes(t *testing.T) {
	dir := t.TempDir()
	cfg := watchedConfig(t, dir)
	whole := filepath.Join(dir, "whole")
	if err := open(t, cfg).Train(t.Context(), whole, Options{}); err != nil {
		t.Fatal(err)
	}
	want := measurements(t, whole)
	for stop := range 14 { // after the step or measurement of that number
		out := filepath.Join(dir, fmt.Sprint("stopped-", stop))
		ctx, cancel := context.WithCancel(t.Context())
		n, measured := 0, 0
		event := func() {
			if n++; n == stop+1 {
				cancel()
			}
		}
		opts := Options{Report: func(Record) { event() }, Heldout: func(HeldoutRecord, *HeldoutRecord) { measured++; event() }}
		if err := open(t, cfg).Train(ctx, out, opts); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		fromNothing := 0
		if stop < 2 { // before the first step there is no state: what was measured of the base is measured again
			fromNothing = stop + 1
		}
		opts.Resume = true
		if _, err := os.Stat(out); err != nil {
			if err := open(t, cfg).Train(t.Context(), out, opts); err != nil {
				t.Fatalf("stop %d: %v", stop, err)
			}
		}
		if got := measurements(t, out); !reflect.DeepEqual(got, want) {
			t.Errorf("stop %d: measured %q, want the same losses at %q", stop, places(got), places(want))
		}
		if measured != 8+fromNothing {
			t.Errorf("stop %d: %d measurements, want %d", stop, measured, 8+fromNothing)
		}
		for name, at := range map[string][]int64{"train/loss": {1, 2, 3, 4, 5, 6}, "train/ce/codebook_1": {1, 2, 3, 4, 5, 6}, "train/skipped": {1, 2, 3, 4, 5, 6},
			"heldout/low/ce": {0, 2, 4, 6}, "heldout/high/total": {0, 2, 4, 6}} {
			if got := events(t, out)[name]; !slices.Equal(got, at) {
				t.Errorf("stop %d: the event file has %s at %v, want %v", stop, name, got, at)
			}
		}
		cancel()
	}
}

// events are the steps of every tag in an output's event file.
func events(t *testing.T, dir string) map[string][]int64 {
	t.Helper()
	data := read(t, dir, eventFile)
	steps := map[string][]int64{}
	for len(data) > 0 {
		n := binary.LittleEndian.Uint64(data)
		event := fields(t, data[12:12+n])
		data = data[16+n:]
		for _, summary := range event[5] {
			for _, value := range fields(t, summary.data)[1] {
				tag := string(fields(t, value.data)[1][0].data)
				step := int64(0)
				if at := event[2]; len(at) > 0 {
					step = int64(at[0].number)
				}
				steps[tag] = append(steps[tag], step)
			}
		}
	}
	return steps
}

type field struct {
	number uint64
	data   []byte
}

// fields splits a message of protocol buffers by the numbers of its fields.
func fields(t *testing.T, message []byte) map[int][]field {
	t.Helper()
	all := map[int][]field{}
	for len(message) > 0 {
		key, n := binary.Uvarint(message)
		message = message[n:]
		var f field
		switch key & 7 {
		case 0:
			f.number, n = binary.Uvarint(message)
			message = message[n:]
		case 1:
			f.data, message = message[:8], message[8:]
		case 2:
			size, n := binary.Uvarint(message)
			f.data, message = message[n:n+int(size)], message[n+int(size):]
		case 5:
			f.data, message = message[:4], message[4:]
		default:
			t.Fatalf("wire type %d", key&7)
		}
		all[int(key>>3)] = append(all[int(key>>3)], f)
	}
	return all
}

// A resumed run may measure on other crops; the old ones' losses are then forgotten, since nothing compares with them.
func TestHeldoutOnOtherCrops(t *testing.T) {
	dir := t.TempDir()
	cfg := watchedConfig(t, dir)
	out := filepath.Join(dir, "out")
	ctx, cancel := context.WithCancel(t.Context())
	if err := open(t, cfg).Train(ctx, out, Options{Report: func(r Record) {
		if r.Step == 3 {
			cancel()
		}
	}}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	cfg.Heldout.Clips = 2
	cfg.Heldout.Every = 3
	if err := open(t, cfg).Train(t.Context(), out, Options{Resume: true, Heldout: func(now HeldoutRecord, base *HeldoutRecord) {
		if base != nil || now.Clips != 2 {
			t.Errorf("step %d of %d clips is compared with %+v", now.Step, now.Clips, base)
		}
	}}); err != nil {
		t.Fatal(err)
	}
	if got, want := places(measurements(t, out)), []string{"3 front-end low", "3 front-end high", "6 all low", "6 all high"}; !slices.Equal(got, want) {
		t.Errorf("the log holds %q, want %q", got, want)
	}
}

// A loss that is not finite is a line with a reason, and no cause to end a run.
func TestHeldoutOfABrokenModel(t *testing.T) {
	run := open(t, watchedConfig(t, t.TempDir()))
	for _, p := range run.Model().Params() {
		p.Value.Data().F32()[0] = float32(math.NaN())
	}
	before := gradients(run.Model())
	r, err := run.heldout.score(t.Context(), run.Model(), 0)
	if err != nil || r.Reason == "" || r.Clips != 1 {
		t.Fatalf("record %+v, error %v", r, err)
	}
	if !maps.Equal(before, gradients(run.Model())) {
		t.Error("measuring froze the model")
	}
	line, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"ce":null`, `"total":null`, `"accuracy":null`, `"corpus":"low"`, `"clips":1`, `"reason":"the loss is not finite`} {
		if !strings.Contains(string(line), want) {
			t.Errorf("%s has no %s", line, want)
		}
	}
	var back HeldoutRecord
	if err := json.Unmarshal(line, &back); err != nil || back.Reason != r.Reason {
		t.Errorf("read back as %+v (%v)", back, err)
	}
}

func gradients(m *Model) map[string]bool {
	on := map[string]bool{}
	for _, p := range m.Params() {
		on[p.Name] = p.Value.RequiresGrad()
	}
	return on
}

// The folder of a run in progress says what a summary needs.
func TestRunInProgressHasItsProvenance(t *testing.T) {
	dir := t.TempDir()
	cfg := watchedConfig(t, dir)
	out := filepath.Join(dir, "out")
	seen := false
	if err := open(t, cfg).Train(t.Context(), out, Options{Version: "v1", Report: func(r Record) {
		stored, err := StoredConfig(out + ".run")
		seen = err == nil && stored.Heldout.Every == 2 && r.Time.After(time.Now().Add(-time.Minute)) && r.Left >= 0
	}}); err != nil || !seen {
		t.Fatalf("error %v; adapt.json stands in the run's folder: %v", err, seen)
	}
	for _, name := range []string{"summary.html", "adapt.json", "train.jsonl", heldoutLog} {
		if len(read(t, out, name)) == 0 {
			t.Errorf("%s is empty", name)
		}
	}
	// What stands in the output does not keep it from being replaced.
	if err := checkpoint.CheckTarget(out, true, true); err != nil {
		t.Error(err)
	}
}

func TestPace(t *testing.T) {
	start := time.Unix(1000, 0)
	p := pace{began: start}
	if p.left(start, 10, 2) != 0 {
		t.Error("an estimate before the first step")
	}
	p.measured(5 * time.Second)
	for i := range 9 {
		d := time.Second
		if i == 4 {
			d = time.Hour // a machine that slept
		}
		p.step(d, i == 0)
	}
	// 9 steps and a measurement took 3613 s; 18 s more went into saving, 2 s a step.
	now := start.Add(3613*time.Second + 18*time.Second)
	if got, want := p.left(now, 100, 3), 100*3*time.Second+15*time.Second; got != want {
		t.Errorf("%v left, want %v", got, want)
	}
	p.step(4*time.Second, true) // another stage
	if got, want := p.left(now.Add(4*time.Second), 10, 0), 10*(4*time.Second+18*time.Second/10); got != want {
		t.Errorf("%v left in the new stage, want %v", got, want)
	}
	for range 3 * recentSteps {
		p.step(time.Millisecond, false)
	}
	if len(p.recent) != recentSteps || median(p.recent) != time.Millisecond {
		t.Errorf("%d steps are kept, median %v", len(p.recent), median(p.recent))
	}
}

func TestAhead(t *testing.T) {
	for _, c := range []struct{ every, done, total, want int }{{2, 0, 6, 3}, {2, 1, 6, 3}, {2, 2, 6, 2}, {4, 0, 6, 2}, {4, 4, 6, 1}, {4, 6, 6, 0}, {100, 0, 6, 1}} {
		m := &monitor{every: c.every}
		if got := m.ahead(c.done, c.total); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
		n := 0
		for step := c.done + 1; step <= c.total; step++ {
			if m.due(step, c.total) {
				n++
			}
		}
		if n != c.want {
			t.Errorf("%+v: %d are due", c, n)
		}
	}
	var none *monitor
	if none.due(0, 1) || none.ahead(0, 1) != 0 {
		t.Error("something is due without the key")
	}
}

// Of the event files of several processes, the last one has all steps and the others nothing; none of them goes away under
// a TensorBoard that reads it.
func TestEventFilesOfOneRun(t *testing.T) {
	dir := t.TempDir()
	cfg := watchedConfig(t, dir)
	out := filepath.Join(dir, "out")
	for process := range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		if err := open(t, cfg).Train(ctx, out, Options{Resume: true, Report: func(Record) { cancel() }}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		paths, err := filepath.Glob(filepath.Join(out+".run", eventFiles+"*"))
		if err != nil || len(paths) != process+1 {
			t.Fatalf("%d event files (%v), want %d", len(paths), err, process+1)
		}
		for i, path := range paths {
			if empty := len(read(t, path)) == 0; empty != (i < process) {
				t.Errorf("process %d: event file %d is empty: %v", process, i, empty)
			}
		}
	}
}
