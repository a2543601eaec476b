package tokenizer

import (
	"fmt"

	"syncretic/checkpoint"
)

// invalidError is a checkpoint.ErrInvalid whose message says only what is wrong.
type invalidError struct{ text string }

func (e *invalidError) Error() string        { return e.text }
func (e *invalidError) Is(target error) bool { return target == checkpoint.ErrInvalid }

func invalid(format string, args ...any) error { return &invalidError{fmt.Sprintf(format, args...)} }
