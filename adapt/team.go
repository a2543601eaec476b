package adapt

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"syncretic/adapt/audio"
)

// team is a run's part in a group. The zero value is a process alone, which agrees with itself.
//
// Whatever can go wrong in one process alone is brought to agree or settle, where all processes meet, before any of them
// acts on it: none waits for a process that has left, and all stop at the same step.
type team struct {
	group  Group    // nil for a process alone
	sums   *reducer // of the stage's gradients; nil for a process alone
	bucket int      // elements a bucket, 0 for bucketSize

	norm float64 // of the last step's gradient, which must be the same bits everywhere
	owed error   // what went wrong here since the last meeting
	at   phase   // of training, where processes wait for the first at its beginning and end
}

// place is this process's rank and the number of processes.
func (t *team) place() (rank, size int) {
	if t.group == nil {
		return 0, 1
	}
	return t.group.Rank(), t.group.Size()
}

// leads says whether this is the process that writes.
func (t *team) leads() bool {
	rank, _ := t.place()
	return rank == 0
}

// What became of a process's work, from good to bad.
const (
	well    = iota
	skips   // its loss is not finite
	stopped // it was interrupted
	failed
)

// mark is what a process tells the others beside sums: fields of one each.
type mark struct {
	state  int
	length int     // of the text that goes with it
	norm   float64 // see team
}

const marks = 3 // numbers in a mark

// maxText is the most that is told of an error, in bytes.
const maxText = 4 << 10

// meet waits for all processes, adds up sums over them in place, and returns the worst state of any, the first process
// that is in it, and what that one says.
func (t *team) meet(state int, text string, sums []float64) (worst, first int, said string, err error) {
	rank, size := t.place()
	text = text[:min(len(text), maxText)]
	all := make([]float64, len(sums)+marks*size)
	own := all[len(sums):]
	copy(all, sums)
	copy(own[marks*rank:], []float64{float64(state), float64(len(text)), t.norm})
	if err := t.group.SumFloat64(all); err != nil {
		return failed, rank, "", err
	}
	copy(sums, all)
	at := func(r int) mark { return mark{int(own[marks*r]), int(own[marks*r+1]), own[marks*r+2]} }
	for r := range size {
		if m := at(r); m.state > worst {
			worst, first = m.state, r
		}
		if a, b := at(0).norm, at(r).norm; math.Float64bits(a) != math.Float64bits(b) {
			return failed, rank, "", fmt.Errorf("the gradients' norm of the last step was %v on process 0 and %v on process %d: the group's sums are not the same everywhere", a, b, r)
		}
	}
	if worst == well {
		return well, 0, "", nil
	}
	p := make([]byte, at(first).length)
	if rank == first {
		copy(p, text)
	}
	if len(p) > 0 {
		err = t.group.Broadcast(first, p)
	}
	return worst, first, string(p), err
}

// owe keeps an error for the next meeting. A process alone returns it at once.
func (t *team) owe(err error) error {
	if t.group == nil {
		return err
	}
	if t.owed == nil {
		t.owed = err
	}
	return nil
}

// agree makes an error of one process that of all: one that is owed, or the given one.
func (t *team) agree(err error) error {
	if t.group == nil {
		return err
	}
	if t.owed != nil {
		err = t.owed
	}
	worst, first, said, lost := t.meet(stateOf(err), textOf(err), nil)
	return t.verdict(err, worst, first, said, lost)
}

// verdict is the error that this process returns after all have met.
func (t *team) verdict(own error, worst, first int, said string, lost error) error {
	switch {
	case own != nil && (worst == stateOf(own) || lost != nil):
		return own
	case lost != nil:
		return lost
	case worst >= stopped:
		return elsewhere{first, said, worst == stopped}
	}
	return nil
}

// settle waits until the gradients are summed over all processes, and makes of each one's record and error those of all.
// The record's measures are this process's share of the averages.
func (t *team) settle(rec *Record, books int, err error) error {
	if t.group == nil {
		return err
	}
	lost := t.sums.finish(err == nil)
	state, text := stateOf(err), textOf(err)
	if err == nil && rec.Skipped {
		state, text = skips, rec.Reason
	}
	if rec.Codebooks == nil {
		rec.Codebooks, rec.Accuracy = make([]float64, books), make([]float64, books)
	}
	sums := append([]float64{rec.Loss, rec.CQT, rec.FeaturePenalty, float64(rec.Frames), float64(rec.Replaced)}, append(rec.Codebooks, rec.Accuracy...)...)
	if lost != nil {
		return errors.Join(err, lost)
	}
	worst, first, said, lost := t.meet(state, text, sums)
	rec.Loss, rec.CQT, rec.FeaturePenalty, rec.Frames = sums[0], sums[1], sums[2], int(sums[3])
	rec.Replaced = int(sums[4])
	copy(rec.Codebooks, sums[5:])
	copy(rec.Accuracy, sums[5+books:])
	if rec.Replaced > 0 && lost == nil {
		lost = t.shareUnread(rec)
	}
	if worst == skips {
		rec.skip(fmt.Sprintf("process %d: %s", first, said))
	}
	return t.verdict(err, worst, first, said, lost)
}

// shareUnread gathers the files that any process met and could not read.
func (t *team) shareUnread(rec *Record) error {
	rank, size := t.place()
	own, err := json.Marshal(rec.Unread)
	if err != nil {
		return err
	}
	lengths := make([]float64, size)
	lengths[rank] = float64(len(own))
	if err := t.group.SumFloat64(lengths); err != nil {
		return err
	}
	rec.Unread = nil
	for r, n := range lengths {
		p := make([]byte, int(n))
		if r == rank {
			copy(p, own)
		}
		if err := t.group.Broadcast(r, p); err != nil {
			return err
		}
		var files []audio.Skipped
		if err := json.Unmarshal(p, &files); err != nil {
			return err
		}
		rec.Unread = append(rec.Unread, files...)
	}
	return nil
}

// tell returns what process 0 gives.
func (t *team) tell(p []byte) ([]byte, error) {
	n := binary.LittleEndian.AppendUint64(nil, uint64(len(p)))
	if err := t.group.Broadcast(0, n); err != nil {
		return nil, err
	}
	if !t.leads() {
		p = make([]byte, binary.LittleEndian.Uint64(n))
	}
	return p, t.group.Broadcast(0, p)
}

func stateOf(err error) int {
	switch {
	case err == nil:
		return well
	case interrupted(err):
		return stopped
	}
	return failed
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// interrupted says whether an error is the end of a context.
func interrupted(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// elsewhere is what ended another process, and so this one.
type elsewhere struct {
	rank        int
	text        string
	interrupted bool
}

func (e elsewhere) Error() string {
	if e.interrupted {
		return fmt.Sprintf("process %d was interrupted: %s", e.rank, e.text)
	}
	return fmt.Sprintf("process %d: %s", e.rank, e.text)
}

func (e elsewhere) Unwrap() []error {
	if e.interrupted {
		return []error{ErrElsewhere, context.Canceled}
	}
	return []error{ErrElsewhere}
}
