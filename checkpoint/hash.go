package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime/debug"
)

// Hash is the SHA-256, in hex, of a source's contents: for each tensor, by name, a line with its quoted name, dtype and
// shape, then its bytes as Write would store them. The container (one file, shards, memory) and metadata do not count.
func Hash(src Source) (digest string, err error) {
	defer catchFault("hash", debug.SetPanicOnFault(true), &err)
	sum := sha256.New()
	var b buffers
	for _, info := range src.Tensors() {
		fmt.Fprintf(sum, "%q %s %d\n", info.Name, info.DType, info.Shape)
		for n, lo := info.Elements(), 0; lo < n; lo += blockElements {
			block, err := b.block(src, info, info.DType, lo, min(lo+blockElements, n))
			if err != nil {
				return "", err
			}
			sum.Write(block)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
