package probe

import (
	"errors"
	"fmt"

	"syncretic/probe/dataset"
)

// OpenConfig opens a dataset of a configuration, in whatever format it lies on disk, with the rules of OpenDataset. What was left out and
// what may leak is in Findings. Errors wrap ErrConfig for a configuration that cannot be used, else ErrInvalid, and fs.ErrNotExist
// too where files are missing.
func OpenConfig(cfg DatasetConfig) (*Dataset, error) {
	list, err := dataset.Open(cfg)
	switch {
	case errors.Is(err, dataset.ErrConfig):
		return nil, fmt.Errorf("dataset %q: %w: %w", cfg.Name, ErrConfig, err)
	case err != nil:
		return nil, fmt.Errorf("dataset %q: %w: %w", cfg.Name, ErrInvalid, err)
	}
	var ds *Dataset
	if list.Task == dataset.Regression {
		ds, err = newRegression(cfg.Name, list)
	} else {
		ds, err = NewDataset(cfg.Name, list.Entries(), DatasetOptions{Top: list.Top, Tags: list.Tags, Task: list.Task})
	}
	if err != nil {
		return nil, err
	}
	for i := range ds.Items {
		ds.Items[i].Limit, ds.Items[i].Seconds = list.Max, list.Rows[i].Seconds
	}
	ds.Findings = list.Findings
	return ds, nil
}

// newRegression is NewDataset for rows that have targets in place of tags.
func newRegression(name string, list *dataset.Listing) (*Dataset, error) {
	entries := list.Entries()
	for _, check := range []error{checkSplits(entries), checkLeaks(entries)} {
		if check != nil {
			return nil, fmt.Errorf("dataset %q: %w: %w", name, ErrInvalid, check)
		}
	}
	ds := &Dataset{Name: name, Task: dataset.Regression, Tags: list.Tags, Items: make([]Item, len(entries))}
	for i, e := range entries {
		ds.Items[i] = itemOf(e)
		ds.Items[i].Targets = list.Rows[i].Targets
	}
	return ds, nil
}
