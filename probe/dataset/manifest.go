package dataset

import (
	"fmt"

	"syncretic/adapt/audio"
)

// readManifest reads one's own archive: adapt/audio.ReadManifest says its columns, whose group must not be in two splits.
func readManifest(cfg Config, l *Listing) error {
	if _, err := readText(cfg.Manifest); err != nil { // the encoding, with its line
		return err
	}
	entries, err := audio.ListManifest(cfg.Manifest)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	for _, e := range entries {
		l.Rows = append(l.Rows, Row{Entry: e})
	}
	return nil
}
