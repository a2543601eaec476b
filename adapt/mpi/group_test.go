package mpi

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// script is a library that answers as a test says, for a job of size processes of which this is the second.
type script struct {
	level, size int32
	calls       []string
	fails       string // the function that fails, once begun
	asked       int    // how often an operation was asked for
}

func (s *script) library() (*library, error) {
	code := func(name string) int32 {
		s.calls = append(s.calls, name)
		if name == s.fails {
			return 15
		}
		return 0
	}
	return &library{
		version: "Script MPI 1",
		initThread: func(_, _ uintptr, _ int32, provided *int32) int32 {
			*provided = s.level
			return code("init")
		},
		setErrhandler: func(_, _ uintptr) int32 { return code("handler") },
		rank: func(_ uintptr, n *int32) int32 {
			*n = min(1, s.size-1)
			return code("rank")
		},
		size: func(_ uintptr, n *int32) int32 {
			*n = s.size
			return code("size")
		},
		iallreduce: func(send uintptr, recv unsafe.Pointer, count int32, _, _, _ uintptr, request *uintptr) int32 {
			if send != inPlace {
				return code("not in place")
			}
			for i := range unsafe.Slice((*float32)(recv), count) {
				unsafe.Slice((*float32)(recv), count)[i] *= float32(s.size)
			}
			*request = 7
			return code("allreduce")
		},
		ibcast: func(_ unsafe.Pointer, _ int32, _ uintptr, _ int32, _ uintptr, request *uintptr) int32 {
			*request = 7
			return code("bcast")
		},
		test: func(request *uintptr, done *int32, _ uintptr) int32 {
			if s.asked++; s.asked%3 == 0 && *request == 7 {
				*done = 1
			}
			if s.fails == "test" {
				return code("test")
			}
			return 0
		},
		errorString: func(_ int32, text *byte, length *int32) int32 {
			*length = int32(copy(unsafe.Slice(text, maxErrorText), "MPI_ERR_TRUNCATE: message truncated"))
			return 0
		},
		finalize: func() int32 { return code("finalize") },
		abort:    func(uintptr, int32) int32 { return code("abort") },
	}, nil
}

func environment(pairs ...string) func(string) string {
	return func(key string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == key {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestGroupSumsAndEnds(t *testing.T) {
	s := &script{level: 3, size: 4}
	g, err := join(s.library, environment())
	if err != nil {
		t.Fatal(err)
	}
	if g.Rank() != 1 || g.Size() != 4 {
		t.Errorf("process %d of %d, want 1 of 4", g.Rank(), g.Size())
	}
	x := []float32{1, 2, 3}
	if err := errors.Join(g.Sum(x), g.Sum(nil), g.Broadcast(2, []byte("abc")), g.Broadcast(0, nil)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(x, []float32{4, 8, 12}) {
		t.Errorf("sum %v, want 4 8 12", x)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if want := []string{"init", "handler", "rank", "size", "allreduce", "bcast", "finalize"}; !slices.Equal(s.calls, want) {
		t.Errorf("calls %v, want %v: nothing for empty slices", s.calls, want)
	}
}

// After a failure nothing is called any more but the end of all processes.
func TestGroupFailsForGood(t *testing.T) {
	for _, fails := range []string{"allreduce", "test"} {
		s := &script{level: 1, size: 2, fails: fails}
		g, err := join(s.library, environment())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := g.Sum([]float32{1}); err == nil || err.Error() != "MPI_Iallreduce: MPI_ERR_TRUNCATE: message truncated" {
				t.Errorf("%s fails: got %v", fails, err)
			}
		}
		lost := g.Err()
		if err := g.Close(); lost == nil || !errors.Is(err, lost) || s.calls[len(s.calls)-1] != "abort" || slices.Contains(s.calls, "finalize") {
			t.Errorf("%s fails: Close gives %v after calls %v, want the failure and an abort", fails, err, s.calls)
		}
		if n := slices.Index(s.calls, "allreduce"); slices.Contains(s.calls[n+1:], "allreduce") {
			t.Errorf("%s fails: called again: %v", fails, s.calls)
		}
	}
}

func TestJoinErrors(t *testing.T) {
	for _, test := range []struct {
		name   string
		script script
		env    []string
		want   error
		text   string
	}{
		{"thread level", script{level: 0, size: 2}, nil, ErrLibrary, "Script MPI 1 offers thread level 0, want at least 1"},
		{"init", script{fails: "init"}, nil, ErrLibrary, "MPI_Init_thread failed with code 15"},
		{"rank", script{level: 3, size: 2, fails: "rank"}, nil, nil, "MPI_Comm_rank: MPI_ERR_TRUNCATE"},
		{"mpirun of another MPI", script{level: 3, size: 1}, []string{"OMPI_COMM_WORLD_SIZE", "4", "PMIX_RANK", "0"}, ErrLaunch, "4 were started, and each finds itself alone: start them with the mpirun or the PMIx of this library, Script MPI 1"},
		{"srun without pmix", script{level: 3, size: 1}, []string{"SLURM_STEP_NUM_TASKS", "2"}, ErrLaunch, "2 were started without a way to find each other"},
	} {
		_, err := join(test.script.library, environment(test.env...))
		if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: got %v, want %v with %q", test.name, err, test.want, test.text)
		}
	}
	missing := errors.New("no such library")
	if _, err := join(func() (*library, error) { return nil, missing }, environment()); !errors.Is(err, missing) {
		t.Errorf("a library that cannot be loaded: got %v", err)
	}
}

func TestProcesses(t *testing.T) {
	for text, want := range map[string]int{"": 1, "1": 1, "8": 8, "-3": 1, "many": 1} {
		if got := Processes(environment("OMPI_COMM_WORLD_SIZE", text, "SLURM_STEP_NUM_TASKS", "5")); got != want {
			t.Errorf("OMPI_COMM_WORLD_SIZE=%q: %d processes, want %d", text, got, want)
		}
	}
}

func TestEachTakesPartsOfOneCall(t *testing.T) {
	var sizes []int
	if err := each(make([]struct{}, 2*most+5), func(part []struct{}) error {
		sizes = append(sizes, len(part))
		return nil
	}); err != nil || !slices.Equal(sizes, []int{most, most, 5}) {
		t.Errorf("parts of %v (%v)", sizes, err)
	}
}
