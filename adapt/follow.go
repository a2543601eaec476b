package adapt

import (
	"context"
	"encoding/json"
	"unsafe"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/optim"
)

// phase is how far a group's training is, as its processes wait for one another.
type phase int

const (
	beginning phase = iota // process 0 opens the work folder; the others wait for where it stands
	training               // all take steps
	ending                 // process 0 writes the model; the others wait for that
)

// position is where a run stands, beside weights and moments.
type position struct {
	Over                         bool // process 0 found nothing left to do
	Done, Saved, Skipped, InARow int
	Adam                         bool     // whether there is an optimiser
	Names                        []string // of the parameters that have moments
	Steps                        []int    // of them
}

// begin tells the other processes where the run stands: the position, the weights, the moments. It is for process 0.
func (t *team) begin(w *work) error {
	if t.group == nil {
		return nil
	}
	if err := t.agree(nil); err != nil {
		return err
	}
	t.at = training
	p := position{Done: w.done, Saved: w.saved, Skipped: w.skipped, InARow: w.inRow, Adam: w.adam != nil}
	var moments []optim.State
	if w.adam != nil {
		moments = w.adam.State()
	}
	for _, s := range moments {
		p.Names, p.Steps = append(p.Names, s.Name), append(p.Steps, s.Step)
	}
	doc, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if _, err := t.tell(doc); err != nil {
		return err
	}
	return t.copyTensors(w.run, moments)
}

// dismiss ends process 0's training: it tells the others, where they wait for it, how it ended.
func (t *team) dismiss(err error) error {
	if t.group == nil || t.at == training {
		return err
	}
	if at := t.at; err != nil || at == ending {
		return t.agree(err)
	}
	if err := t.agree(nil); err != nil {
		return err
	}
	doc, err := json.Marshal(position{Over: true})
	if err == nil {
		_, err = t.tell(doc)
	}
	return err
}

// follow is Train in the processes that do not write.
func (r *Run) follow(ctx context.Context, out string, opts Options) error {
	t := &r.team
	if err := t.agree(nil); err != nil {
		return err
	}
	doc, err := t.tell(nil)
	if err != nil {
		return err
	}
	var p position
	if err := json.Unmarshal(doc, &p); err != nil || p.Over {
		return err
	}
	w := &work{dir: out + workSuffix, run: r, follower: true, done: p.Done, saved: p.Saved, skipped: p.Skipped, inRow: p.InARow, savedAt: r.now()}
	if err := w.takeOver(t, p); err != nil {
		return err
	}
	if err := r.stages(ctx, w, opts); err != nil {
		return err
	}
	return t.agree(nil)
}

// takeOver receives weights and moments.
func (w *work) takeOver(t *team, p position) error {
	params := w.run.model.Params()
	sizes := map[string]int{}
	for _, q := range params {
		sizes[q.Name] = q.Value.Size()
	}
	moments := make([]optim.State, len(p.Names))
	for i, name := range p.Names {
		moments[i] = optim.State{Name: name, Step: p.Steps[i], M: make([]float32, sizes[name]), V: make([]float32, sizes[name])}
	}
	if err := t.copyTensors(w.run, moments); err != nil || !p.Adam {
		return err
	}
	w.adam = optim.NewAdamW(w.run.cfg.Optimizer.adamW(), params)
	return w.adam.Restore(moments)
}

// copyTensors copies process 0's weights and moments to the others, in place.
func (t *team) copyTensors(r *Run, moments []optim.State) error {
	for _, p := range r.model.Params() {
		if err := t.group.Broadcast(0, bytesOf(mat.Data[float32](p.Value.Matrix))); err != nil {
			return err
		}
	}
	for _, s := range moments {
		for _, x := range [][]float32{s.M, s.V} {
			if err := t.group.Broadcast(0, bytesOf(x)); err != nil {
				return err
			}
		}
	}
	return nil
}

// bytesOf is the memory of x. The processes of a group run on processors of one byte order.
func bytesOf(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

// makeGrads lays out the gradients of the parameters that the stage trains, as zeros. Each step leaves them so.
func (t *team) makeGrads(params []optim.Param) {
	if t.group == nil {
		optim.MakeGrads(params)
		optim.ZeroGrad(params)
		return
	}
	size := t.bucket
	if size == 0 {
		size = bucketSize
	}
	t.sums = newReducer(t.group, params, size)
}
