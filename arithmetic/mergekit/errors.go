package mergekit

import (
	"errors"
	"fmt"

	"syncretic/arithmetic/method"
	"syncretic/checkpoint"
	"syncretic/checkpoint/recipe"
)

// ErrDiffer is wrapped by the error about tensors that only some inputs have. Every error about models also wraps
// checkpoint.ErrInvalid.
var ErrDiffer = errors.New("the models differ")

// ErrShapes is wrapped by the error about tensors of one name with different shapes.
var ErrShapes = errors.New("shapes differ")

// inputError is a checkpoint.ErrInvalid that says only what is wrong, and may be of a kind.
type inputError struct {
	text string
	kind error
}

func (e *inputError) Error() string { return e.text }
func (e *inputError) Is(target error) bool {
	return target == checkpoint.ErrInvalid || e.kind != nil && target == e.kind
}

func invalid(format string, args ...any) error {
	return &inputError{text: fmt.Sprintf(format, args...)}
}

// suggestMethod names the method that was probably meant.
func suggestMethod(name string) string {
	var names []string
	for _, m := range method.Methods() {
		names = append(names, m.Name)
	}
	if near, ok := recipe.Nearest(name, names); ok {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	return ""
}
