package arithmetic

import "syncretic/checkpoint"

// Metadata keys of a task vector's file: what it is, and the sha-256 ([checkpoint.Hash]) of the two models it was taken from.
const (
	KindKey  = "syncretic.kind"
	BaseKey  = "syncretic.base_sha256"
	TunedKey = "syncretic.tuned_sha256"

	VectorKind = "task_vector" // the value under KindKey
)

// Provenance is the metadata to store with the task vector tuned - base, so that a later merge can refuse another base.
// It reads both models once.
func Provenance(tuned, base checkpoint.Source) (map[string]string, error) {
	meta := map[string]string{KindKey: VectorKind}
	for key, src := range map[string]checkpoint.Source{BaseKey: base, TunedKey: tuned} {
		hash, err := checkpoint.Hash(src)
		if err != nil {
			return nil, err
		}
		meta[key] = hash
	}
	return meta, nil
}
