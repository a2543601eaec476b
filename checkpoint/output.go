package checkpoint

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// output is one output under construction: planned, begun (staged), filled by [run], completed, published.
type output struct {
	Output
	single  bool
	layouts []layout
	files   []*outFile
	parts   []*part // what is to be written: of files that are not finished yet
	disk    *disk
	stage   *stage
	journal *journal
}

// planOutput refuses what cannot be written before anything is.
func planOutput(d *disk, o Output) (*output, error) {
	out := &output{Output: o, disk: d, single: strings.HasSuffix(o.Path, ".safetensors")}
	if out.single && o.Options.ShardBytes > 0 {
		return nil, fmt.Errorf("%s: shards need a directory, not one file", o.Path)
	}
	var err error
	if out.layouts, err = plan(o.Source, o.Options); err == nil {
		err = checkSides(o.Options.SideFiles)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Path, err)
	}
	return out, nil
}

// begin makes the stage, or adopts one, and lists what is to be written into it.
func (o *output) begin(m *meter) (err error) {
	var adopt func(string) bool
	resumes := o.Options.Resume != "" && !o.single
	if resumes {
		adopt = o.adopt
	}
	if o.stage, err = newStage(o.disk, o.Path, !o.single, o.Options.Force, adopt); err != nil {
		return err
	}
	if resumes && o.journal == nil {
		if o.journal, err = newJournal(o.disk, o.stage.temp, o.head()); err != nil {
			return fmt.Errorf("%s: %w", o.Path, err)
		}
	}
	for _, l := range o.layouts {
		m.total += l.data
	}
	for _, l := range o.layouts {
		if err := o.addFile(l, m); err != nil {
			return fmt.Errorf("%s: %w", o.Path, err)
		}
	}
	return nil
}

func (o *output) addFile(l layout, m *meter) error {
	f := &outFile{layout: l, disk: o.disk, path: filepath.Join(o.stage.temp, l.name), shown: filepath.Join(o.Path, l.name), done: o.fileDone}
	if o.single {
		f.file, f.path, f.shown = o.stage.file, o.stage.temp, o.Path
	}
	o.files = append(o.files, f)
	if o.journal != nil {
		if done, ok := o.journal.done[l.name]; ok {
			f.digests, f.ended = done.Digests, true
			m.done += l.data
			return nil
		}
	}
	f.parts = make([]part, len(l.entries))
	for i, e := range l.entries {
		p, err := newPart(o.Source, l.inputs[i], e.DType, m)
		if err != nil {
			return err
		}
		p.file, p.begin = f, e.begin
		if o.Options.Digest {
			p.sums = chunkSums(e.DType, e.Elements())
		}
		f.parts[i] = p
		o.parts = append(o.parts, &f.parts[i])
	}
	return nil
}

// fileDone closes a file that is durable, and records it.
func (o *output) fileDone(f *outFile) error {
	if !o.single { // a single file holds its stage's lock
		if err := closing(f.file, nil); err != nil {
			return err
		}
	}
	if o.journal == nil {
		return nil
	}
	return o.journal.add(journalFile{f.name, f.size(), f.digests})
}

// complete writes what comes after the tensors.
func (o *output) complete() (Written, error) {
	for _, f := range o.files {
		if !f.ended { // it has no elements
			if err := f.end(); err != nil {
				return Written{}, err
			}
		}
	}
	if len(o.files) > 1 {
		if err := o.stage.put(indexName, shardIndex(o.layouts)); err != nil {
			return Written{}, err
		}
	}
	for _, side := range o.Options.SideFiles {
		if err := o.stage.put(side.Name, side.Data); err != nil {
			return Written{}, err
		}
	}
	w := o.written()
	if o.Options.Proof != nil && !o.single {
		proof, err := o.Options.Proof(w)
		if err == nil {
			err = checkSides(append(proof, o.Options.SideFiles...))
		}
		if err != nil {
			return Written{}, err
		}
		for _, side := range proof {
			if err := o.stage.put(side.Name, side.Data); err != nil {
				return Written{}, err
			}
		}
	}
	if o.journal != nil {
		return w, o.journal.remove()
	}
	return w, nil
}

// written describes the output.
func (o *output) written() Written {
	w := Written{Path: o.Path, Files: listFiles(o.Path, o.layouts, o.Options)}
	if !o.Options.Digest {
		return w
	}
	for _, f := range o.files {
		for i, e := range f.entries {
			w.Tensors = append(w.Tensors, TensorDigest{e.Name, e.DType, e.Shape, f.digests[i]})
		}
	}
	sortDigests(w.Tensors)
	return w
}

// abandon closes what is open and, when keep allows, leaves finished files for the next start. It tells whether it did.
func (o *output) abandon(keep bool) bool {
	for _, f := range o.files {
		if f.file != nil && !o.single {
			f.file.Close()
		}
	}
	if o.journal != nil {
		o.journal.file.Close()
	}
	if o.stage == nil {
		return false
	}
	keep = keep && o.stage.status == hidden && o.journal != nil && len(o.journal.done) > 0
	o.stage.finish(keep)
	return keep
}

// head is what the journal of this output begins with.
func (o *output) head() journalHead {
	sum := sha256.New()
	for _, l := range o.layouts {
		fmt.Fprintf(sum, "%q %d\n", l.name, len(l.header))
		sum.Write(l.header)
	}
	return journalHead{o.Options.Resume, hex.EncodeToString(sum.Sum(nil)), o.Options.Digest}
}

// adopt takes over the files that a killed writer finished in the directory temp, and removes the others. It is false, and the
// directory of no use, where there are none or where any is not as the journal says.
func (o *output) adopt(temp string) bool {
	j, ok := openJournal(o.disk, temp, o.head())
	if !ok {
		return false
	}
	for _, l := range o.layouts {
		if done, ok := j.done[l.name]; ok && !done.fits(temp, l, o.Options.Digest) {
			j.file.Close()
			return false
		}
	}
	list, err := os.ReadDir(temp)
	for _, item := range list {
		if _, ok := j.done[item.Name()]; !ok && item.Name() != journalName {
			err = errors.Join(err, os.RemoveAll(filepath.Join(temp, item.Name())))
		}
	}
	if err != nil || len(j.done) == 0 {
		j.file.Close()
		return false
	}
	o.journal = j
	return true
}

// fits tells whether a finished file is as the journal says.
func (f journalFile) fits(dir string, l layout, digest bool) bool {
	info, err := os.Lstat(filepath.Join(dir, f.Name))
	return err == nil && info.Mode().IsRegular() && info.Size() == f.Bytes && f.Bytes == int64(len(l.header))+l.data &&
		(!digest || len(f.Digests) == len(l.entries))
}

// fill writes the tensors of all outputs.
func fill(ctx context.Context, outs []*output) error {
	var parts []*part
	for _, o := range outs {
		parts = append(parts, o.parts...)
	}
	return run(ctx, units(parts))
}
