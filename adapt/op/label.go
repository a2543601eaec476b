package op

import (
	"context"
	"reflect"
	"runtime/pprof"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
)

// Labels that operators set on the goroutines that work for them, so that a CPU profile tells what each operator takes.
const (
	ProfileOperator = "operator" // its name, as in Linear
	ProfilePass     = "pass"     // forward or backward
)

// labelled is an operator whose work bears its name in profiles.
type labelled struct {
	ag.AutoGradFunction
	name string
}

// label names f after its type.
func label(f ag.AutoGradFunction) labelled {
	name := []byte(reflect.TypeOf(f).Elem().Name())
	name[0] -= 'a' - 'A'
	return labelled{f, string(name)}
}

func (l labelled) Forward() (y mat.Tensor, err error) {
	pprof.Do(context.Background(), pprof.Labels(ProfileOperator, l.name, ProfilePass, "forward"), func(context.Context) {
		y, err = l.AutoGradFunction.Forward()
	})
	return y, err
}

func (l labelled) Backward(gy mat.Tensor) (err error) {
	defer done(l.Operands())
	pprof.Do(context.Background(), pprof.Labels(ProfileOperator, l.name, ProfilePass, "backward"), func(context.Context) {
		err = l.AutoGradFunction.Backward(gy)
	})
	return err
}
