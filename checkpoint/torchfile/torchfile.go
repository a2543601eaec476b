// Package torchfile reads the weights in files that torch.save wrote: pytorch_model.bin, .pt, .pth, .ckpt.
//
// Such a file is a program for Python's pickle machine, which can call any function, so loading one in Python is running it.
// Here nothing is ever called: [Parse] walks the program with an allow-list of the few names that dictionaries and tensors are
// made of. Any other name, and whatever a file builds with it (fairseq's Namespace, omegaconf's objects), becomes an opaque
// value, which is an error only where a tensor would be made of it.
//
// The files are input of unknown origin: every length is held against the bytes that are left before anything is allocated,
// nothing recurses, and both time and memory are bounded by a small multiple of the file's length. A tensor is a slice of the
// file, or where it is a strided view of its storage (a transposed matrix) it is copied out in order by [Tensor.Gather].
//
// Both containers are read: the zip archive of PyTorch 1.6 and later, and the sequence of pickles before that. In an archive
// only stored entries are read, never deflated ones. Read next: zip.go and legacy.go for the containers, machine.go for the
// pickle machine, torch.go for the names it knows, choose.go for which dictionary is the model, tensor.go for shapes and strides.
// Beside the tensors [Labels] reads one thing more: what the rows of a fairseq model's label embeddings stand for.
//
// Sources: the module pickletools of Python's library, which describes each opcode, and torch/serialization.py and
// torch/_utils.py of PyTorch 2.13.
package torchfile

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The rules that an [Error] can name.
const (
	RuleContainer  = "torch-container"  // neither an archive nor a sequence of pickles as torch.save writes them
	RuleZip        = "torch-zip"        // an archive whose records do not fit together
	RuleCompressed = "torch-compressed" // an archive entry that is deflated or encrypted
	RuleByteOrder  = "torch-byte-order" // numbers stored with their high byte first
	RulePickle     = "torch-pickle"     // a pickle that no pickler writes
	RuleContents   = "torch-contents"   // no dictionary of tensors
	RuleClass      = "torch-class"      // a tensor would be made by something that is not on the allow-list
	RuleTensor     = "torch-tensor"     // a tensor whose parts, shape, strides or offset do not fit
	RuleStorage    = "torch-storage"    // a storage that is missing or shorter or longer than said
	RuleDType      = "torch-dtype"      // an element type that safetensors does not have
)

// Error is what is wrong with a file's contents; Parse returns no other.
type Error struct{ Rule, Text string }

func (e *Error) Error() string { return e.Text }

func broken(rule, format string, args ...any) error {
	return &Error{rule, fmt.Sprintf(format, args...)}
}

// within puts a context before an error.
func within(err error, format string, args ...any) error {
	rule := ""
	if e := (*Error)(nil); errors.As(err, &e) {
		rule = e.Rule
	}
	return broken(rule, "%s: %v", fmt.Sprintf(format, args...), err)
}

// Parse lists the tensors of a file whose bytes are data, in the file's order. They share memory with data, and of its pages
// only those that say what is where are touched.
//
// The tensors are those of the dictionary at the top, or where that has none, of the one under "state_dict" or else "model".
// Entries beside them that hold no tensors are passed over (epochs, arguments); those that do in another form are errors.
func Parse(data []byte) ([]Tensor, error) {
	root, find, err := contents(data)
	if err != nil {
		return nil, err
	}
	return choose(root, find, len(data))
}

// contents reads a file of either container: what its pickle makes, and where the storages are.
func contents(data []byte) (root value, find locate, err error) {
	switch {
	case bytes.HasPrefix(data, []byte(localSignature)):
		return parseZip(data)
	case bytes.HasPrefix(data, []byte{opProto}):
		return parseLegacy(data)
	}
	return nil, nil, broken(RuleContainer, "not a file of torch.save: it starts with neither a zip archive nor a pickle")
}

// quoted is a text of the file as messages show it: the file decides how long it is.
func quoted[T ~string | ~[]byte](s T) string {
	const longest = 100
	if len(s) > longest {
		return strconv.Quote(strings.ToValidUTF8(string(s[:longest]), "") + "...")
	}
	return strconv.Quote(string(s))
}
