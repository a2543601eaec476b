package arithmetic

import (
	"fmt"
	"slices"
	"strings"

	"syncretic/checkpoint"
)

// ErrInvalid is wrapped by every error about inputs that do not fit each other. It is checkpoint's.
var ErrInvalid = checkpoint.ErrInvalid

// mismatch is an ErrInvalid that says only what differs.
type mismatch struct{ text string }

func (e *mismatch) Error() string        { return e.text }
func (e *mismatch) Is(target error) bool { return target == ErrInvalid }

func invalid(format string, args ...any) error { return &mismatch{fmt.Sprintf(format, args...)} }

// shown is how many differences an error names before it counts the rest.
const shown = 4

// label names a source in messages: its path where it has one.
func label(src checkpoint.Source, otherwise string) string {
	if p, ok := src.(interface{ Path() string }); ok && p.Path() != "" {
		return p.Path()
	}
	return otherwise
}

// compare wants got to have the tensors that want lists, by name and shape, and tells floats from integers.
func compare(got checkpoint.Source, gotName string, want []checkpoint.Info, wantName string) error {
	have := got.Tensors()
	var diffs []string
	differ := func(format string, args ...any) { diffs = append(diffs, fmt.Sprintf(format, args...)) }
	for i, j := 0, 0; i < len(have) || j < len(want); {
		switch {
		case j == len(want) || i < len(have) && have[i].Name < want[j].Name:
			differ("tensor %q: not in %s", have[i].Name, wantName)
			i++
		case i == len(have) || want[j].Name < have[i].Name:
			differ("tensor %q: missing, want %s %d", want[j].Name, want[j].DType, want[j].Shape)
			j++
		default:
			h, w := have[i], want[j]
			if !slices.Equal(h.Shape, w.Shape) {
				differ("tensor %q: shape %d, want %d", h.Name, h.Shape, w.Shape)
			} else if h.DType.Integer() != w.DType.Integer() {
				differ("tensor %q: dtype %s, want %s", h.Name, h.DType, w.DType)
			}
			i, j = i+1, j+1
		}
	}
	if len(diffs) == 0 {
		return nil
	}
	text := strings.Join(diffs[:min(shown, len(diffs))], "; ")
	if more := len(diffs) - shown; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return invalid("%s does not fit %s: %s", gotName, wantName, text)
}

// equalIntegers wants one integer tensor to hold the same numbers in both sources.
func equalIntegers(a checkpoint.Source, aName string, b checkpoint.Source, name string) error {
	x, err := checkpoint.ReadIntegers(a, name)
	if err != nil {
		return fmt.Errorf("%s: %w", aName, err)
	}
	y, err := checkpoint.ReadIntegers(b, name)
	if err != nil {
		return err
	}
	for i := range x {
		if x[i] != y[i] {
			return invalid("%s: tensor %q: integer element %d is %d, want the base's %d", aName, name, i, x[i], y[i])
		}
	}
	return nil
}

// floats lists the tensors that take part.
func floats(src checkpoint.Source) []checkpoint.Info {
	return slices.DeleteFunc(slices.Clone(src.Tensors()), func(i checkpoint.Info) bool { return i.DType.Integer() })
}
