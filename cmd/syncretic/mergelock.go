package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"syncretic/arithmetic/mergekit"
	"syncretic/checkpoint"
)

// unknown stands for a hash that is not known yet, so that a plan's files have their exact sizes.
const unknown = "0000000000000000000000000000000000000000000000000000000000000000"

// lock describes a merge before it is written. With hash, the inputs' files are read, unless the cache knows their hashes.
func (m *merging) lock(ctx context.Context, plan *mergekit.Plan, hash bool) (*mergekit.Lock, error) {
	shards, err := parseBytes(m.o.shardSize)
	if err != nil {
		return nil, usageError("--out-shard-size: %v", err)
	}
	l := &mergekit.Lock{Schema: 1, Tool: m.tool, Recipe: string(m.recipe), Donor: plan.Donor, Options: mergekit.LockOptions{
		Seed: m.opts.Seed, Lambda: plan.Lambda, Union: m.opts.Union, Intersection: m.opts.Intersection, Truncate: m.opts.Truncate,
		NonFinite: m.o.nonFinite, ShardBytes: shards, Card: !m.o.noCard, Tokenizer: !m.o.noTokenizer}}
	if l.Inputs, err = plan.Inputs(); err != nil {
		return nil, err
	}
	var paths []string
	for _, in := range l.Inputs {
		for _, f := range in.Files {
			paths = append(paths, f.Path)
		}
	}
	sums := make([]string, len(paths))
	for i := range sums {
		sums[i] = unknown
	}
	if hash {
		if sums, err = checkpoint.HashFiles(ctx, paths, hashCache()); err != nil {
			return nil, err
		}
	}
	for i := range l.Inputs {
		for j := range l.Inputs[i].Files {
			l.Inputs[i].Files[j].SHA256, sums = sums[0], sums[1:]
		}
	}
	if hash && m.against != nil {
		if err := m.against.CheckInputs(l.Inputs); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// hashCache is where hashes of input files are kept between runs, "" where the system has no place for such files.
func hashCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "syncretic", "sha256.json")
}

// prove has the output carry its lock: hashes of the inputs in the metadata, and merge.lock.json, with --digest with the digests of
// what was written, which --from-lock then wants to be those of the lock.
func (m *merging) prove(out *checkpoint.Output, l *mergekit.Lock) error {
	var inputs []map[string]any
	for _, in := range l.Inputs {
		var sums []string
		for _, f := range in.Files {
			if checkpoint.IsWeights(filepath.Base(f.Path)) {
				sums = append(sums, f.SHA256)
			}
		}
		inputs = append(inputs, map[string]any{"model": in.Name, "sha256": sums})
	}
	text, err := json.Marshal(inputs)
	if err != nil {
		return err
	}
	out.Options.Metadata["syncretic.inputs"] = string(text)
	if strings.HasSuffix(out.Path, ".safetensors") {
		return nil
	}
	out.Options.Digest = m.o.digest
	if m.o.resume {
		out.Options.Resume = l.Fingerprint()
	}
	out.Options.Proof = func(w checkpoint.Written) ([]checkpoint.SideFile, error) {
		l.Output = mergekit.LockOutput{Files: w.Files, Tensors: w.Tensors}
		if m.against != nil && m.o.digest {
			if err := m.against.CheckTensors(w.Tensors); err != nil {
				return nil, fmt.Errorf("made again, it is another model: %w", err)
			}
		}
		return []checkpoint.SideFile{{Name: mergekit.LockName, Data: l.Encode()}}, nil
	}
	return nil
}

// lockFile is the lock as it will be, for a plan.
func lockFile(out checkpoint.Output, files []checkpoint.File) (checkpoint.File, error) {
	w := checkpoint.Written{Path: out.Path, Files: files}
	for _, info := range out.Source.Tensors() {
		if !out.Options.Digest {
			break
		}
		w.Tensors = append(w.Tensors, checkpoint.TensorDigest{Name: info.Name, DType: info.DType, Shape: info.Shape, SHA256: unknown})
	}
	sides, err := out.Options.Proof(w)
	if err != nil {
		return checkpoint.File{}, err
	}
	return checkpoint.File{Name: sides[0].Name, Bytes: int64(len(sides[0].Data))}, nil
}

// readLock reads a lock and takes its recipe and options over.
func (m *merging) readLock(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	l, err := mergekit.ParseLock(text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	o := l.Options
	m.against, m.recipe, m.tool, m.config = l, []byte(l.Recipe), l.Tool, path
	m.o.seed, m.o.union, m.o.intersection, m.o.truncate = o.Seed, o.Union, o.Intersection, o.Truncate
	m.o.nonFinite, m.o.shardSize = o.NonFinite, fmt.Sprint(o.ShardBytes)
	m.o.noCard, m.o.noTokenizer, m.o.digest = !o.Card, !o.Tokenizer, len(l.Output.Tensors) > 0
	if o.Lambda != nil {
		m.o.lambdas = []float64{*o.Lambda}
	}
	return nil
}

// derive computes the digests of the model that a lock without them describes: the merge is made again from its inputs, which must
// be the lock's, and not written.
func (a *app) derive(ctx context.Context, path string) ([]checkpoint.TensorDigest, error) {
	m, err := newMerging(ctx, a, &mergeOptions{fromLock: path, maxMemory: defaultMemory}, "")
	if err != nil {
		return nil, err
	}
	defer m.close()
	plans, err := m.compile()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer plans[0].Close()
	if _, err := m.lock(ctx, plans[0], true); err != nil {
		return nil, err
	}
	bar := a.progress("making it again")
	defer bar.stop()
	return checkpoint.Digests(ctx, plans[0].Merge(), func(done, total int64) { bar.set(int(done>>20), int(total>>20), "MiB") })
}
