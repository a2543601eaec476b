package tokenizer

import (
	"errors"
	"fmt"

	"syncretic/checkpoint"
)

// invalidError is a checkpoint.ErrInvalid whose message says only what is wrong.
type invalidError struct{ text string }

func (e *invalidError) Error() string        { return e.text }
func (e *invalidError) Is(target error) bool { return target == checkpoint.ErrInvalid }

func invalid(format string, args ...any) error { return &invalidError{fmt.Sprintf(format, args...)} }

// ErrConfig is wrapped by every error about what a recipe asks for, where the models themselves are in order.
var ErrConfig = errors.New("wrong vocabulary config")

// configError is an ErrConfig whose message says only what is wrong.
type configError struct{ text string }

func (e *configError) Error() string        { return e.text }
func (e *configError) Is(target error) bool { return target == ErrConfig }

func wrong(format string, args ...any) error { return &configError{fmt.Sprintf(format, args...)} }
