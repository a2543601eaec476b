package probe

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"syncretic/checkpoint"
)

// featuresVersion goes up when the same audio and encoder would give other features, or shards another form.
const featuresVersion = 1

// Origin says what features are of and how they were computed: all that decides their bits. It is the provenance of a result and, hashed,
// the name of the features in a cache.
type Origin struct {
	Version int               `json:"version"`           // of the extraction and of a cache's files
	Encoder map[string]string `json:"encoder,omitempty"` // ExtractOptions.Encoder

	// Recordings is a SHA-256 over the items, in order: ID, start, end, limit, and the size and time of the last change of the file. So a cache
	// outlives a move of the whole corpus, and a recording that was replaced is never taken for the old one.
	Recordings string `json:"recordings_sha256"`
	Items      int    `json:"items"`

	Window    float64          `json:"window"`    // s; 0 for whole items
	Resampler string           `json:"resampler"` // with its settings
	Pool      Pool             `json:"pool"`
	DType     checkpoint.DType `json:"dtype"` // as stored
}

// originOf describes the features of some items. A file that is not there is an error that names its item.
func originOf(ds *Dataset, items []int, opts ExtractOptions) (Origin, error) {
	h := sha256.New()
	stats := map[string]os.FileInfo{} // several items may be crops of one file
	for _, i := range items {
		item := ds.Items[i]
		info, ok := stats[item.Path]
		if !ok {
			var err error
			if info, err = os.Stat(item.Path); err != nil {
				return Origin{}, ds.named(i, err)
			}
			stats[item.Path] = info
		}
		fmt.Fprintf(h, "%q %v %v %v %d %d\n", item.ID, item.Start, item.End, item.Limit, info.Size(), info.ModTime().UnixNano())
	}
	return Origin{
		Version: featuresVersion, Encoder: opts.Encoder, Recordings: hex.EncodeToString(h.Sum(nil)), Items: len(items),
		Window: opts.Window, Resampler: opts.Resampling.Settings(), Pool: opts.Pool, DType: opts.DType,
	}, nil
}

// Key is the SHA-256 of the origin's JSON, as 32 hexadecimal digits: the first half.
func (o Origin) Key() string {
	text, _ := json.Marshal(o) // strings and finite numbers
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
