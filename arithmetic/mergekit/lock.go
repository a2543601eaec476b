package mergekit

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"syncretic/checkpoint"
)

// Lock is merge.lock.json: what a merge was made from and what came out, enough to make it again to the same bytes and to prove
// that a model is it.
type Lock struct {
	Schema  int         `json:"schema"` // 1
	Tool    string      `json:"tool"`
	Recipe  string      `json:"recipe"` // the YAML, as it was read
	Options LockOptions `json:"options"`
	Donor   string      `json:"donor"`
	Inputs  []LockInput `json:"inputs"`
	Output  LockOutput  `json:"output"`
}

// LockOptions are the options that shape the output.
type LockOptions struct {
	Seed         uint64   `json:"seed"`
	Lambda       *float64 `json:"lambda"` // null for the recipe's own
	Union        bool     `json:"tensor_union"`
	Intersection bool     `json:"tensor_intersection"`
	Truncate     bool     `json:"unsafe_truncate_embeddings"`
	NonFinite    string   `json:"non_finite"`
	ShardBytes   int64    `json:"shard_bytes"`
	Card         bool     `json:"model_card"`
	Tokenizer    bool     `json:"copy_tokenizer"`
}

// LockInput is one model, with the files that were read.
type LockInput struct {
	Input
	Files []LockFile `json:"files"`
}

// LockFile is a file with its sha-256 in hex, as sha256sum prints it.
type LockFile struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// Inputs lists the files that the output depends on, without their hashes: the weights of every model, what stands beside them (but
// for model cards, which people edit), adapters.
func (p *Plan) Inputs() ([]LockInput, error) {
	var list []LockInput
	for i, m := range p.models {
		in := LockInput{Input: p.Models[i]}
		for _, path := range m.Files() {
			in.Files = append(in.Files, LockFile{Path: path})
		}
		for _, beside := range []struct{ dir, prefix string }{{m.Dir(), ""}, {in.Adapter, "adapter_"}} {
			files, err := sideFiles(beside.dir, beside.prefix)
			if err != nil {
				return nil, err
			}
			in.Files = append(in.Files, files...)
		}
		list = append(list, in)
	}
	return list, nil
}

// sideFiles lists the files of a directory that belong to a model without being its weights.
func sideFiles(dir, prefix string) (files []LockFile, err error) {
	if dir == "" {
		return nil, nil
	}
	list, err := os.ReadDir(dir)
	for _, item := range list {
		name := item.Name()
		if strings.HasPrefix(name, ".") || !strings.HasPrefix(name, prefix) || strings.EqualFold(name, "README.md") || name == LockName {
			continue
		}
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || prefix == "" && checkpoint.IsWeights(name) {
			continue
		}
		files = append(files, LockFile{Path: path})
	}
	return files, err
}

// LockOutput is what was written: files, and the tensors' digests where they were asked for.
type LockOutput struct {
	Files   []checkpoint.File         `json:"files"`
	Tensors []checkpoint.TensorDigest `json:"tensors"`
}

// LockName is the lock's name in a model's directory.
const LockName = "merge.lock.json"

// ParseLock reads a lock. Unknown keys are errors: a lock of a later version may mean something that this one would miss.
func ParseLock(text []byte) (*Lock, error) {
	var l Lock
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&l); err != nil {
		return nil, invalid("not a lock file: %v", err)
	}
	if l.Schema != 1 {
		return nil, invalid("a lock file of schema %d, want 1", l.Schema)
	}
	return &l, nil
}

// Encode is the lock as it is stored.
func (l *Lock) Encode() []byte {
	text, _ := json.MarshalIndent(l, "", "  ") // strings, numbers and lists: cannot fail
	return append(text, '\n')
}

// CompileOptions are the options to compile with.
func (l *Lock) CompileOptions() (Options, error) {
	policy, err := ParseNonFinite(l.Options.NonFinite)
	return Options{Seed: l.Options.Seed, Lambda: l.Options.Lambda, Union: l.Options.Union, Intersection: l.Options.Intersection,
		Truncate: l.Options.Truncate, NonFinite: policy}, err
}

// Fingerprint names what the output is made from: equal ones mean equal bytes.
func (l *Lock) Fingerprint() string {
	made := *l
	made.Output = LockOutput{}
	return fmt.Sprintf("%x", sha256.Sum256(made.Encode()))
}

// CheckInputs wants the inputs of a plan to be the lock's, file by file.
func (l *Lock) CheckInputs(inputs []LockInput) error {
	if len(inputs) != len(l.Inputs) {
		return invalid("%d models, but the lock has %d", len(inputs), len(l.Inputs))
	}
	for i, in := range inputs {
		want := l.Inputs[i]
		if len(in.Files) != len(want.Files) {
			return invalid("%s: %d files, but the lock has %d", in.Name, len(in.Files), len(want.Files))
		}
		for j, f := range in.Files {
			if f.SHA256 != want.Files[j].SHA256 {
				return invalid("%s: sha-256 %.12s…, but the lock has %.12s…: the model is another one now", f.Path, f.SHA256, want.Files[j].SHA256)
			}
		}
	}
	return nil
}

// CheckTensors wants a model's digests to be the lock's, and names the first few that are not.
func (l *Lock) CheckTensors(tensors []checkpoint.TensorDigest) error {
	var diffs []string
	have := make(map[string]checkpoint.TensorDigest, len(tensors))
	for _, t := range tensors {
		have[t.Name] = t
	}
	for _, want := range l.Output.Tensors {
		got, ok := have[want.Name]
		delete(have, want.Name)
		switch {
		case !ok:
			diffs = append(diffs, fmt.Sprintf("tensor %q: missing", want.Name))
		case got.DType != want.DType || !slices.Equal(got.Shape, want.Shape):
			diffs = append(diffs, fmt.Sprintf("tensor %q: %s %d, want %s %d", want.Name, got.DType, got.Shape, want.DType, want.Shape))
		case got.SHA256 != want.SHA256:
			diffs = append(diffs, fmt.Sprintf("tensor %q: other numbers than were written", want.Name))
		}
	}
	for _, name := range sorted(have) {
		diffs = append(diffs, fmt.Sprintf("tensor %q: not in the lock", name))
	}
	if len(diffs) == 0 {
		return nil
	}
	return invalid("not what the lock says: %s", listed(diffs))
}
