package mpi

import "unsafe"

// library holds the functions and constants of MPI that are used here, with C's types: handles are addresses, counts are
// int32. Functions return MPI_SUCCESS, 0, or an error's code.
type library struct {
	version string // as the library spells it, in one line

	initThread    func(argc, argv uintptr, required int32, provided *int32) int32
	setErrhandler func(comm, handler uintptr) int32
	rank, size    func(comm uintptr, n *int32) int32
	iallreduce    func(send uintptr, recv unsafe.Pointer, count int32, datatype, op, comm uintptr, request *uintptr) int32
	ibcast        func(buffer unsafe.Pointer, count int32, datatype uintptr, root int32, comm uintptr, request *uintptr) int32
	test          func(request *uintptr, done *int32, status uintptr) int32
	errorString   func(code int32, text *byte, length *int32) int32
	finalize      func() int32
	abort         func(comm uintptr, code int32) int32

	world, errorsReturn, float, double, byte, sum uintptr
}

// Constants of Open MPI's mpi.h.
const (
	threadFunneled = 1
	inPlace        = uintptr(1)
	ignoreStatus   = uintptr(0)
	maxErrorText   = 256
)
