package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	stdhash "hash"
)

// chunkBytes is the length of a chunk, the unit of the digest of a tensor: see [TensorDigest].
const chunkBytes = 1 << 20

// chunkElements is the least number of elements of a type that fill whole chunks, and a multiple of those of narrower types.
func chunkElements(d DType) int {
	if bits := d.Bits(); chunkBytes*8%bits == 0 {
		return chunkBytes * 8 / bits
	}
	return 4 * chunkBytes // 6 bits each: 3 chunks
}

// chunkSums makes room for the digests of a tensor's chunks, one after the other.
func chunkSums(d DType, elements int) []byte {
	return make([]byte, (d.bytes(elements)+chunkBytes-1)/chunkBytes*sha256.Size)
}

// tensorDigest is the digest of a tensor, in hex, from those of its chunks.
func tensorDigest(sums []byte) string {
	sum := sha256.Sum256(sums)
	return hex.EncodeToString(sum[:])
}

// tensorDigests are those of several tensors, nil where none was asked for.
func tensorDigests(parts []part) []string {
	var all []string
	for _, p := range parts {
		if p.sums != nil {
			all = append(all, tensorDigest(p.sums))
		}
	}
	return all
}

// chunkHash takes bytes of whole chunks, and of a tensor's last, in pieces, and stores the digest of each chunk. It is used again
// for the next tensor.
type chunkHash struct {
	hash stdhash.Hash
	n    int // bytes of the chunk so far
}

// add takes a piece that ends before or at the end of the tensor; sums are the tensor's and at is where the piece begins in it.
func (c *chunkHash) add(sums, piece []byte, at int64) {
	if c.hash == nil {
		c.hash = sha256.New()
	}
	for len(piece) > 0 {
		k := min(len(piece), chunkBytes-c.n)
		c.hash.Write(piece[:k])
		c.n += k
		at += int64(k)
		piece = piece[k:]
		if c.n == chunkBytes {
			c.flush(sums, at)
		}
	}
}

// flush ends a chunk whose end is byte end of the tensor, if one has begun.
func (c *chunkHash) flush(sums []byte, end int64) {
	if c.n == 0 {
		return
	}
	i := (end - 1) / chunkBytes * sha256.Size
	c.hash.Sum(sums[i:i:len(sums)])
	c.hash.Reset()
	c.n = 0
}
