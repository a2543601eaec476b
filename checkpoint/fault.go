package checkpoint

import "runtime/debug"

// catchFault turns a fault while mapped bytes are touched (the file was cut short meanwhile, or the disk cannot read
// it) into an error. Use: defer catchFault(what, debug.SetPanicOnFault(true), &err).
func catchFault(what string, before bool, err *error) {
	debug.SetPanicOnFault(before)
	switch fault := recover().(type) {
	case nil:
	case interface {
		error
		Addr() uintptr
	}:
		*err = invalid("%s: cannot be read where it is mapped; was it changed meanwhile? %v", what, fault)
	default:
		panic(fault)
	}
}
