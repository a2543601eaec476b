package checkpoint

import "errors"

// ErrInvalid is wrapped by every error about the contents of an input: a broken rule of the format, or tensors that do
// not fit where they are used.
var ErrInvalid = errors.New("invalid checkpoint")

// invalidError is an ErrInvalid whose message says only what is wrong. rule is one of the named rules, or "".
type invalidError struct{ rule, text string }

func (e *invalidError) Error() string        { return e.text }
func (e *invalidError) Is(target error) bool { return target == ErrInvalid }

// invalid makes an error that wraps ErrInvalid. Where it is about one rule of the format, [broken] names that.
func invalid(format string, args ...any) error {
	return broken("", format, args...)
}
