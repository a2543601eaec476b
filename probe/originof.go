package probe

import "slices"

// OriginOf describes the features that Extract would return of a dataset, without computing any: for who keeps what follows from
// features under the same name. Errors are those of Extract for options that cannot be used, and for a recording that is not there.
func OriginOf(ds *Dataset, opts ExtractOptions) (Origin, error) {
	opts, err := opts.check()
	if err != nil {
		return Origin{}, err
	}
	return originOf(ds, ds.chosen(opts.Splits), opts)
}

// chosen are the items of some splits, nil for all.
func (ds *Dataset) chosen(splits []string) []int {
	var items []int
	for i, item := range ds.Items {
		if splits == nil || slices.Contains(splits, item.Split) {
			items = append(items, i)
		}
	}
	return items
}
