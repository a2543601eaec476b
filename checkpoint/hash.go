package checkpoint

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// TensorDigest is a tensor's type and shape, and the digest of its bytes: the bytes as stored (row-major, little-endian) are cut
// into chunks of 1 MiB, the last may be shorter; each chunk's SHA-256 is taken; and the SHA-256 of those, one after the other as 32
// bytes each, is the digest, in hex. So it does not depend on how many worked on it or in what order. A tensor without
// elements has the SHA-256 of nothing.
type TensorDigest struct {
	Name   string `json:"name"`
	DType  DType  `json:"dtype"`
	Shape  []int  `json:"shape"`
	SHA256 string `json:"sha256"`
}

// Digests are those of all tensors of a source, by name, several at once: of a model that Write stored with WriteOptions.Digest, the
// same as [Written] has. progress, if not nil, gets the bytes done so far, from one goroutine at a time.
func Digests(ctx context.Context, src Source, progress func(done, total int64)) ([]TensorDigest, error) {
	infos := src.Tensors()
	meter := &meter{report: progress}
	parts := make([]part, len(infos))
	todo := make([]*part, len(infos))
	for i, info := range infos {
		p, err := newPart(src, info, info.DType, meter)
		if err != nil {
			return nil, err
		}
		p.sums = chunkSums(info.DType, info.Elements())
		parts[i] = p
		todo[i] = &parts[i]
		meter.total += info.Bytes()
	}
	if err := run(ctx, units(todo)); err != nil {
		return nil, err
	}
	digests := make([]TensorDigest, len(infos))
	for i, info := range infos {
		digests[i] = TensorDigest{info.Name, info.DType, info.Shape, tensorDigest(parts[i].sums)}
	}
	sortDigests(digests)
	return digests, nil
}

// Digest is that of one tensor, in hex: see [TensorDigest]. An unknown name is an error.
func Digest(src Source, name string) (string, error) {
	if _, ok := Find(src, name); !ok {
		return "", invalid("tensor %q: not present", name)
	}
	list, err := Digests(context.Background(), Select(src, func(n string) bool { return n == name }), nil)
	if err != nil {
		return "", err
	}
	return list[0].SHA256, nil
}

// Hash is the SHA-256, in hex, of a source's contents: for each tensor, by name, a line with its quoted name, dtype, shape and
// [TensorDigest], each after a space but the first. The container (one file, shards, memory) and metadata do not count.
// Tensors are read several at once.
func Hash(src Source) (string, error) {
	list, err := Digests(context.Background(), src, nil)
	if err != nil {
		return "", err
	}
	return hashDigests(list), nil
}

func hashDigests(list []TensorDigest) string {
	sum := sha256.New()
	for _, t := range list {
		fmt.Fprintf(sum, "%q %s %d %s\n", t.Name, t.DType, t.Shape, t.SHA256)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func sortDigests(list []TensorDigest) {
	slices.SortFunc(list, func(a, b TensorDigest) int { return strings.Compare(a.Name, b.Name) })
}
