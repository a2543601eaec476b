package checkpoint

import "context"

// Output is one output of WriteAll.
type Output struct {
	Path    string
	Source  Source
	Options WriteOptions
}

// Written describes what was written.
type Written struct{}

// WriteAll writes outputs one after the other.
func WriteAll(ctx context.Context, outputs ...Output) ([]Written, error) {
	for _, o := range outputs {
		if err := Write(ctx, o.Path, o.Source, o.Options); err != nil {
			return nil, err
		}
	}
	return make([]Written, len(outputs)), nil
}
