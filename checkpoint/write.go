package checkpoint

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// WriteOptions says how to write. Its zero value keeps every dtype, makes one file and replaces nothing.
type WriteOptions struct {
	Metadata   map[string]string       // free text of the header; "format": "pt" is added unless a format is given
	DType      DType                   // for floats: F64, F32, F16, BF16, F8_E4M3, F8_E5M2; "" keeps each tensor's own. Integers never change
	Force      bool                    // replace an existing output
	ShardBytes int64                   // most tensor bytes a file, for directories; 0 means one file
	SideFiles  []SideFile              // written beside the weights of a directory; a single file has no place for them
	Progress   func(done, total int64) // bytes of tensors written so far, called from one goroutine at a time
}

// Write stores all tensors of src at path. A path that ends in .safetensors becomes that one file; any other becomes
// a directory with model.safetensors, or shards and model.safetensors.index.json, and the side files.
//
// Tensors stream in blocks of 1 MiB a worker, whatever their size. Where the type does not change and src is a
// [RawSource], bytes are copied as stored; otherwise values pass through float32 and are rounded once, to nearest even.
// A finite value that the type cannot hold is an error.
//
// The output appears complete or not at all: it is written and fsynced beside path, then renamed (for a directory that
// Force replaces, exchanged in one step where the system can). On any error, and when ctx ends, nothing is left behind
// and an existing output is as it was. Without Force an existing path is an error that wraps fs.ErrExist.
// Missing parent directories are made.
func Write(ctx context.Context, path string, src Source, opts WriteOptions) (err error) {
	single := strings.HasSuffix(path, ".safetensors")
	if single && opts.ShardBytes > 0 {
		return fmt.Errorf("%s: shards need a directory, not one file", path)
	}
	files, err := plan(src, opts)
	if err == nil {
		err = checkSides(opts.SideFiles)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	st, err := newStage(path, !single, opts.Force)
	if err != nil {
		return err
	}
	defer func() { err = st.finish(err) }()
	meter := &meter{report: opts.Progress}
	for _, l := range files {
		meter.total += l.data
	}
	if single {
		return fillFile(ctx, st.file, path, src, files[0], meter)
	}
	for _, l := range files {
		f, err := st.create(l.name)
		if err != nil {
			return err
		}
		if err := closing(f, fillFile(ctx, f, filepath.Join(path, l.name), src, l, meter)); err != nil {
			return err
		}
	}
	if len(files) > 1 {
		if err := st.put(indexName, shardIndex(files)); err != nil {
			return err
		}
	}
	for _, side := range opts.SideFiles {
		if err := st.put(side.Name, side.Data); err != nil {
			return err
		}
	}
	return nil
}

// checkSides refuses side files that could not be written, before anything is.
func checkSides(sides []SideFile) error {
	seen := make(map[string]bool)
	for _, side := range sides {
		if !plainName(side.Name) || seen[side.Name] || ownName(side.Name) {
			return invalid("side file %q: want a plain name, once, not one that a reader would take for the model's weights", side.Name)
		}
		seen[side.Name] = true
	}
	return nil
}

// ownName tells the names under which a reader would look for the model's weights. Other safetensors files may stand beside
// them: weights that belong to the model without being part of it, such as the heads of its pre-training.
func ownName(name string) bool {
	return isWeights(name) && (!strings.HasSuffix(name, ".safetensors") || strings.HasPrefix(name, "model"))
}

// shardIndex is the index of a sharded set.
func shardIndex(files []layout) []byte {
	where := make(map[string]string)
	total := int64(0)
	for _, l := range files {
		total += l.data
		for _, e := range l.entries {
			where[e.Name] = l.name
		}
	}
	return formatIndex(where, total)
}

// WriteFile stores a small file atomically: written and fsynced beside path, then renamed. Without force an existing
// path is an error that wraps fs.ErrExist. Missing parent directories are made.
func WriteFile(path string, data []byte, force bool) (err error) {
	st, err := newStage(path, false, force)
	if err != nil {
		return err
	}
	defer func() { err = st.finish(err) }()
	if _, err := st.file.Write(data); err != nil {
		return err
	}
	return st.file.Sync()
}

// closing closes f and keeps the first error.
func closing(f *os.File, err error) error {
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
