package mpi

import (
	"errors"
	"fmt"
	"runtime"
	"time"
	"unsafe"
)

// Group is the processes of an MPI job, an adapt.Group. Its methods may be called from any goroutine, by one at a time.
type Group struct {
	lib   *library
	calls chan func() // run by the one thread that talks to the library
	rank  int
	size  int
	lost  error // what a call failed with: the processes cannot talk any more
}

// Rank is the number of this process, from 0.
func (g *Group) Rank() int { return g.rank }

// Size is the number of processes.
func (g *Group) Size() int { return g.size }

// Err is what ended the talk between the processes, nil while they can.
func (g *Group) Err() error { return g.lost }

// serve runs the calls on a thread of their own: MPI wants to be ended by the thread that began it.
func (g *Group) serve() {
	runtime.LockOSThread()
	for call := range g.calls {
		call()
	}
}

// do has f run on the library's thread. After a failure nothing is called any more.
func (g *Group) do(f func() error) error {
	ended := make(chan struct{})
	g.calls <- func() {
		defer close(ended)
		if g.lost == nil {
			g.lost = f()
		}
	}
	<-ended
	return g.lost
}

func (g *Group) initialise() error {
	var level, rank, size int32
	if code := g.lib.initThread(0, 0, threadFunneled, &level); code != 0 {
		return fmt.Errorf("%w: MPI_Init_thread failed with code %d", ErrLibrary, code)
	}
	if level < threadFunneled {
		return fmt.Errorf("%w: %s offers thread level %d, want at least %d, MPI_THREAD_FUNNELED", ErrLibrary, g.lib.version, level, threadFunneled)
	}
	for _, call := range []struct {
		name string
		code int32
	}{
		{"MPI_Comm_set_errhandler", g.lib.setErrhandler(g.lib.world, g.lib.errorsReturn)},
		{"MPI_Comm_rank", g.lib.rank(g.lib.world, &rank)},
		{"MPI_Comm_size", g.lib.size(g.lib.world, &size)},
	} {
		if err := g.check(call.name, call.code); err != nil {
			return err
		}
	}
	g.rank, g.size = int(rank), int(size)
	return nil
}

// check turns a code into the library's text.
func (g *Group) check(name string, code int32) error {
	if code == 0 {
		return nil
	}
	text, n := make([]byte, maxErrorText), int32(0)
	if g.lib.errorString(code, &text[0], &n) != 0 {
		return fmt.Errorf("%s failed with code %d", name, code)
	}
	return fmt.Errorf("%s: %s", name, text[:min(max(0, int(n)), len(text))])
}

// most is the elements of one call: counts are C's int.
const most = 1 << 30

// Sum adds up x over all processes in place. Each element is summed in one place and handed to all, in Open MPI's
// algorithms, so that all have the same bits; with the same number of processes, placed alike, a sum is the same in each run.
func (g *Group) Sum(x []float32) error { return sum(g, x, g.lib.float) }

// SumFloat64 is Sum in double precision.
func (g *Group) SumFloat64(x []float64) error { return sum(g, x, g.lib.double) }

func sum[T float32 | float64](g *Group, x []T, datatype uintptr) error {
	return each(x, func(part []T) error {
		return g.wait("MPI_Iallreduce", unsafe.Pointer(&part[0]), func(p unsafe.Pointer, request *uintptr) int32 {
			return g.lib.iallreduce(inPlace, p, int32(len(part)), datatype, g.lib.sum, g.lib.world, request)
		})
	})
}

// Broadcast copies p of the process root into p of the others.
func (g *Group) Broadcast(root int, p []byte) error {
	return each(p, func(part []byte) error {
		return g.wait("MPI_Ibcast", unsafe.Pointer(&part[0]), func(p unsafe.Pointer, request *uintptr) int32 {
			return g.lib.ibcast(p, int32(len(part)), g.lib.byte, int32(root), g.lib.world, request)
		})
	})
}

// each calls f with parts of x that one call takes.
func each[T any](x []T, f func(part []T) error) error {
	for len(x) > 0 {
		n := min(len(x), most)
		if err := f(x[:n]); err != nil {
			return err
		}
		x = x[n:]
	}
	return nil
}

// wait begins an operation on the memory at p and returns when it is done. The memory stays where it is meanwhile.
func (g *Group) wait(name string, p unsafe.Pointer, begin func(p unsafe.Pointer, request *uintptr) int32) error {
	return g.do(func() error {
		var pin runtime.Pinner
		defer pin.Unpin()
		request, done := new(uintptr), new(int32)
		pin.Pin(p)
		pin.Pin(request)
		if err := g.check(name, begin(p, request)); err != nil {
			return err
		}
		began := time.Now()
		for {
			if err := g.check(name, g.lib.test(request, done, ignoreStatus)); err != nil || *done != 0 {
				return err
			}
			pause(time.Since(began))
		}
	})
}

// longest is the longest pause, so that an operation of several exchanges is not held up by much.
const longest = time.Millisecond

// pause leaves the processor to others for a sixteenth of the time waited so far. In the first microseconds, which most
// operations of one machine take, it does not.
func pause(waited time.Duration) {
	if nap := min(waited/16, longest); nap > time.Microsecond {
		sleep(nap)
	}
}

// Close ends MPI. It waits for the other processes, which have to call it too. After a failure that the processes cannot
// have agreed on it ends all of them at once, as nobody can tell what the others wait for.
func (g *Group) Close() error {
	lost := g.lost
	g.lost = nil
	err := g.do(func() error {
		if lost != nil {
			return g.check("MPI_Abort", g.lib.abort(g.lib.world, 1))
		}
		return g.check("MPI_Finalize", g.lib.finalize())
	})
	close(g.calls)
	if lost != nil {
		return errors.Join(lost, err)
	}
	return err
}
