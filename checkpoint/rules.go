package checkpoint

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The rules of the format, one named error each, as [Rule] gives them. The first group is about a file's length and header, the
// second about its tensors, the third about sharded sets.
//
// A file of torch.save breaks rules of package torchfile, whose names begin with torch-.
//
// A safetensors file is accepted exactly where the Rust reference 0.8 accepts it, with two exceptions, both refused here: a key
// twice in one object, which two readers may understand differently, and a dimension of 2⁶³ or more, which only a tensor
// without elements can have and no Go int holds.
const (
	RuleTruncated    = "truncated"     // fewer bytes than the header's length, or than a tensor's end, asks for
	RuleHeaderLength = "header-length" // a header of more than 100 000 000 bytes
	RuleUTF8         = "utf-8"         // text that is not UTF-8, or half of a surrogate pair
	RuleJSON         = "json"          // not one JSON object by the letter
	RuleDepth        = "depth"         // values nested more than 127 deep
	RuleDuplicateKey = "duplicate-key" // a key twice in one object
	RuleMetadata     = "metadata"      // __metadata__ is no object of strings
	RuleEntry        = "entry"         // a tensor without dtype, shape or data_offsets, or with one of another kind
	RuleReaders      = "two-readers"   // a second reader understands the header otherwise

	RuleDType         = "dtype"          // a type that the format does not know
	RuleShape         = "shape"          // a dimension that is not a whole number, 0 or more, that an int holds
	RuleShapeOverflow = "shape-overflow" // more elements, or bits, than 64 bits count
	RuleSubByte       = "sub-byte"       // elements of 4 or 6 bits that do not fill whole bytes
	RuleOffsets       = "offsets"        // data_offsets are not two whole numbers, the second not below the first
	RuleSize          = "size"           // data_offsets hold more or fewer bytes than shape and dtype need
	RuleHole          = "hole"           // bytes that no tensor owns, before one that does
	RuleOverlap       = "overlap"        // bytes that two tensors own
	RuleTrailing      = "trailing-data"  // bytes after the last tensor

	RuleWeightMap       = "weight-map"       // an index without an object of file names
	RuleShardName       = "shard-name"       // an index that points outside of its directory, or at a file of another kind
	RuleShardMissing    = "shard-missing"    // a file that an index names is not there
	RuleShardTensor     = "shard-tensor"     // a tensor that is not in the shard where the index puts it, or in another besides
	RuleUnlisted        = "unlisted"         // a tensor in a shard that the index does not know
	RuleLeftover        = "leftover"         // weights beside the model's that no index names
	RuleNonFinite       = "non-finite"       // a NaN or an infinity
	RuleTiedWeights     = "tied-weights"     // config.json's tie_word_embeddings says otherwise than the tensors
	RuleUnreadable      = "unreadable"       // stored bytes that cannot be read
	RuleOtherBrokenRule = "invalid-contents" // any other error about contents
)

// Rule names the rule that an error about contents is about, "" for an error that does not wrap [ErrInvalid].
func Rule(err error) string {
	if !errors.Is(err, ErrInvalid) {
		return ""
	}
	if e := (*invalidError)(nil); errors.As(err, &e) && e.rule != "" {
		return e.rule
	}
	return RuleOtherBrokenRule
}

// broken makes an error that wraps ErrInvalid and names its rule.
func broken(rule, format string, args ...any) error {
	return &invalidError{rule: rule, text: fmt.Sprintf(format, args...)}
}

// ruled names the rule of an error about contents that has none yet; others pass.
func ruled(rule string, err error) error {
	if e := (*invalidError)(nil); errors.As(err, &e) && e.rule == "" {
		return &invalidError{rule: rule, text: e.text}
	}
	return err
}

// within puts a context before an error about contents; other errors (JSON's) pass.
func within(err error, format string, args ...any) error {
	if e := (*invalidError)(nil); errors.As(err, &e) {
		return broken(e.rule, format+": %s", append(args, e.text)...)
	}
	return err
}

// longest is how much of a text that a file holds is shown in a message, in bytes.
const longest = 200

// cut shortens a text for a message: the file decides how long it is.
func cut(text string) string {
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "..."
}

// quoted is a name or another text of a file as messages show it.
func quoted(text string) string { return strconv.Quote(cut(text)) }

// list shows numbers as fmt does, cut where they are many.
func list(numbers []int64) string {
	const most = 16
	if len(numbers) <= most {
		return fmt.Sprint(numbers)
	}
	return fmt.Sprintf("%s and %d more]", strings.TrimSuffix(fmt.Sprint(numbers[:most]), "]"), len(numbers)-most)
}
