//go:build mpi && linux

package mpi

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Built says whether this binary can load MPI.
const Built = true

// sleep blocks the thread. The runtime's timers are coarser by an order.
func sleep(d time.Duration) {
	t := syscall.NsecToTimespec(d.Nanoseconds())
	_ = syscall.Nanosleep(&t, nil) // a signal shortens it, which is no matter
}

// names are what Open MPI 3, 4 and 5 are loaded by, and what a machine's choice of MPI is. A link that only development
// packages have comes last: it may be another MPI's.
var names = [...]string{"libmpi.so.40", "libmpi.so"}

// load opens the library and looks up what is used of it. Its plugins find its symbols because they are global.
func load() (*library, error) {
	var handle uintptr
	var errs []error
	for _, name := range names {
		h, err := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_GLOBAL)
		if err == nil {
			handle = h
			break
		}
		errs = append(errs, err)
	}
	if handle == 0 {
		return nil, fmt.Errorf("%w: install Open MPI (Debian: apt install openmpi-bin), or name its folder in LD_LIBRARY_PATH: %w", ErrLibrary, errors.Join(errs...))
	}
	l := new(library)
	address, err := purego.Dlsym(handle, "MPI_Get_library_version")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLibrary, err)
	}
	l.version = libraryVersion(address)
	for symbol, into := range map[string]*uintptr{"ompi_mpi_comm_world": &l.world, "ompi_mpi_errors_return": &l.errorsReturn,
		"ompi_mpi_float": &l.float, "ompi_mpi_double": &l.double, "ompi_mpi_byte": &l.byte, "ompi_mpi_op_sum": &l.sum} {
		if *into, err = purego.Dlsym(handle, symbol); err != nil {
			return nil, fmt.Errorf("%w: want Open MPI, found %s", ErrLibrary, l.version)
		}
	}
	for symbol, into := range map[string]any{"MPI_Init_thread": &l.initThread, "MPI_Comm_set_errhandler": &l.setErrhandler, "MPI_Comm_rank": &l.rank,
		"MPI_Comm_size": &l.size, "MPI_Iallreduce": &l.iallreduce, "MPI_Ibcast": &l.ibcast, "MPI_Test": &l.test,
		"MPI_Error_string": &l.errorString, "MPI_Finalize": &l.finalize, "MPI_Abort": &l.abort} {
		address, err := purego.Dlsym(handle, symbol)
		if err != nil {
			return nil, fmt.Errorf("%w: %s has no %s: %w", ErrLibrary, l.version, symbol, err)
		}
		purego.RegisterFunc(into, address)
	}
	return l, nil
}

// libraryVersion is what MPI_Get_library_version says, its first part in one line. It may be called before MPI begins.
func libraryVersion(address uintptr) string {
	const room = 8192 // MPICH's MPI_MAX_LIBRARY_VERSION_STRING, the largest of those in use
	text, n := make([]byte, room), new(int32)
	code, _, _ := purego.SyscallN(address, uintptr(unsafe.Pointer(&text[0])), uintptr(unsafe.Pointer(n)))
	runtime.KeepAlive(text)
	if int32(code) != 0 || *n <= 0 || int(*n) > len(text) {
		return "an MPI library of unknown version"
	}
	line := strings.Join(strings.Fields(strings.TrimRight(string(text[:*n]), "\x00")), " ")
	if before, _, ok := strings.Cut(line, ","); ok {
		line = before
	}
	return line[:min(len(line), 80)]
}
