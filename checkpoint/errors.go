package checkpoint

import (
	"errors"
	"fmt"
)

// ErrInvalid is wrapped by every error about the contents of an input: a broken rule of the format, or tensors that do
// not fit where they are used.
var ErrInvalid = errors.New("invalid checkpoint")

// invalidError is an ErrInvalid whose message says only what is wrong.
type invalidError struct{ text string }

func (e *invalidError) Error() string        { return e.text }
func (e *invalidError) Is(target error) bool { return target == ErrInvalid }

// invalid makes an error that wraps ErrInvalid.
func invalid(format string, args ...any) error {
	return &invalidError{fmt.Sprintf(format, args...)}
}
