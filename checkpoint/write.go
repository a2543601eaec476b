package checkpoint

import (
	"context"
	"errors"
	"fmt"
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
	Weights    string                  // a directory's weights file where that is not model.safetensors: an adapter's, in one piece
	Progress   func(done, total int64) // bytes of tensors written so far, called from one goroutine at a time

	// Digest has the digest of each tensor taken while it is written: [Written].Tensors.
	Digest bool
	// Proof, for directories, makes more side files from what was written, such as a lock file. They appear with it.
	Proof func(Written) ([]SideFile, error)
	// Resume, for directories, names what the output is made from: a fingerprint of recipe and inputs, such that equal ones mean
	// equal bytes. Files that an earlier writer of the same path and fingerprint finished, before it was killed or its context
	// ended, are kept beside path and not written again; see [ErrResumable]. "" keeps nothing.
	Resume string
}

// ErrResumable is wrapped by the error of a write that its context ended, beside the context's error, where finished files are kept
// for the next start with the same [WriteOptions].Resume.
var ErrResumable = errors.New("finished files are kept for the next start")

// Output is one of several outputs of [WriteAll].
type Output struct {
	Path    string
	Source  Source
	Options WriteOptions
}

// Written describes an output, for a lock file.
type Written struct {
	Path    string
	Files   []File         // as [Layout] lists them, so without those that Proof makes
	Tensors []TensorDigest // sorted by name; nil without WriteOptions.Digest
}

// Write stores all tensors of src at path. A path that ends in .safetensors becomes that one file; any other becomes
// a directory with model.safetensors, or shards and model.safetensors.index.json, and the side files.
//
// Tensors stream in blocks of 512 KiB of float32 a worker, whatever their size. Where the type does not change and src is a
// [RawSource], bytes are copied as stored; otherwise values pass through float32 and are rounded once, to nearest even.
// A finite value that the type cannot hold is an error.
//
// The output appears complete or not at all: it is written and fsynced beside path, then renamed (where Force replaces
// something, exchanged in one step where the system can). On any error, and when ctx ends, nothing is left behind
// and an existing output is as it was; but with Resume a context's end keeps what is finished. What a killed writer left
// goes with the next write of the same path. Without Force an existing path is an error that wraps fs.ErrExist.
// Missing parent directories are made. Room for each file is reserved when it is begun, so a full disk is known early.
func Write(ctx context.Context, path string, src Source, opts WriteOptions) error {
	_, err := WriteAll(ctx, Output{path, src, opts})
	return err
}

// WriteAll writes several outputs as Write does each, in one pass: a range of a tensor is read for one output after the other, so
// that inputs which they share come from cache after the first. Tensors need not be the same in all; those of equal name and
// number of elements go together.
//
// All outputs are complete and durable before the first is renamed; if one cannot be, those before it are taken back where the
// system can. A kill between two renames leaves each output whole, the old or the new. One path twice, or one inside of
// another, is an error. Every Progress is told the bytes of all outputs together.
func WriteAll(ctx context.Context, outputs ...Output) ([]Written, error) {
	return writeAll(ctx, nil, outputs)
}

func writeAll(ctx context.Context, d *disk, outputs []Output) (written []Written, err error) {
	if err := checkApart(outputs); err != nil {
		return nil, err
	}
	var outs []*output
	for _, o := range outputs {
		out, err := planOutput(d, o)
		if err != nil {
			return nil, err
		}
		outs = append(outs, out)
	}
	defer func() {
		kept := false
		for _, o := range outs {
			kept = o.abandon(err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err())) || kept
		}
		if kept {
			err = fmt.Errorf("%w; %w", err, ErrResumable)
		}
	}()
	meter := newMeter(outputs)
	for _, o := range outs {
		if err := o.begin(meter); err != nil {
			return nil, err
		}
	}
	if err := fill(ctx, outs); err != nil {
		return nil, err
	}
	var stages []*stage
	for _, o := range outs {
		w, err := o.complete()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.Path, err)
		}
		written, stages = append(written, w), append(stages, o.stage)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", outs[0].Path, err)
	}
	if err := publish(stages); err != nil {
		return nil, err
	}
	return written, nil
}

// checkApart refuses outputs that would be in each other's way.
func checkApart(outputs []Output) error {
	paths := make([]string, len(outputs))
	for i, o := range outputs {
		var err error
		if paths[i], err = filepath.Abs(o.Path); err != nil {
			return err
		}
		for j, other := range paths[:i] {
			if paths[i] == other {
				return fmt.Errorf("%s: two outputs of one path", o.Path)
			}
			for _, pair := range [][2]int{{i, j}, {j, i}} {
				if strings.HasPrefix(paths[pair[0]], paths[pair[1]]+string(filepath.Separator)) {
					return fmt.Errorf("%s: an output inside of the output %s", outputs[pair[0]].Path, outputs[pair[1]].Path)
				}
			}
		}
	}
	return nil
}

// checkSides refuses side files that could not be written, before anything is.
func checkSides(sides []SideFile) error {
	seen := make(map[string]bool)
	for _, side := range sides {
		if !plainName(side.Name) || seen[side.Name] || ownName(side.Name) || side.Name == journalName {
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
func WriteFile(path string, data []byte, force bool) error {
	return writeFile(nil, path, data, force)
}

func writeFile(d *disk, path string, data []byte, force bool) error {
	s, err := newStage(d, path, false, force, nil)
	if err != nil {
		return err
	}
	defer s.finish(false)
	if err := d.write(s.file, data, 0); err != nil {
		return err
	}
	if err := d.sync(s.file); err != nil {
		return err
	}
	return publish([]*stage{s})
}
