package main

import (
	"fmt"
	"io/fs"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"syncretic/probe"
)

type cacheOptions struct {
	remove []string
	unused float64
}

func newProbeCache(a *app) *cobra.Command {
	var o cacheOptions
	cmd := &cobra.Command{
		Use:   "cache [DIR]",
		Short: "List the features that are kept, and free them",
		Long: "List what a cache of features holds, the last used first: by default the one that `probe fit` uses where its configuration names\n" +
			"none. --remove and --unused free entries; what is freed is computed again when it is asked for.",
		Example: "  syncretic probe cache\n  syncretic probe cache features --unused 30",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return runProbeCache(a, o, args)
		},
	}
	cmd.Flags().StringSliceVar(&o.remove, "remove", nil, "free the entry whose key begins so; may be given several times")
	cmd.Flags().Float64Var(&o.unused, "unused", math.Inf(1), "free entries that were not used for so many days")
	return cmd
}

// cacheResult is what probe cache prints.
type cacheResult struct {
	Cache   string        `json:"cache"`
	Entries []probe.Entry `json:"entries"` // that are left
	Removed []probe.Entry `json:"removed"`
}

func runProbeCache(a *app, o cacheOptions, args []string) (err error) {
	res := cacheResult{Entries: []probe.Entry{}, Removed: []probe.Entry{}}
	if !(o.unused >= 0) {
		return usageError("--unused %g: want a number of days", o.unused)
	}
	if len(args) == 1 {
		res.Cache = args[0]
	} else if res.Cache, err = defaultFeatureCache(); err != nil {
		return err
	}
	found, err := probe.Entries(res.Cache)
	if err != nil {
		return err
	}
	chosen := map[string]bool{}
	for _, prefix := range o.remove {
		var matches []string
		for _, e := range found {
			if prefix != "" && strings.HasPrefix(e.Key, prefix) {
				matches = append(matches, e.Key)
			}
		}
		switch len(matches) {
		case 0:
			return fmt.Errorf("%s: no entry whose key begins with %q: %w", res.Cache, prefix, fs.ErrNotExist)
		case 1:
			chosen[matches[0]] = true
		default:
			return usageError("--remove %s: %d keys begin so: %s", prefix, len(matches), strings.Join(matches, ", "))
		}
	}
	for _, e := range found {
		if chosen[e.Key] || time.Since(e.Used).Hours() >= 24*o.unused {
			if err := probe.RemoveEntry(res.Cache, e.Key); err != nil {
				return err
			}
			res.Removed = append(res.Removed, e)
			continue
		}
		res.Entries = append(res.Entries, e)
	}
	return a.result(res, cacheText(res))
}

func cacheText(res cacheResult) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	var bytes int64
	for i, e := range append(res.Entries[:len(res.Entries):len(res.Entries)], res.Removed...) {
		if i == 0 {
			fmt.Fprintln(w, "key\tdataset\tmodel\twindow\tpool\tdtype\tfiles\tMB\tlast used\t")
		}
		state := e.Used.Format(time.DateOnly)
		if i >= len(res.Entries) {
			state = "freed"
		} else {
			bytes += e.Bytes
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%g s\t%s\t%s\t%d of %d\t%.1f\t%s\t\n", e.Key, e.Dataset, e.Model, e.Origin.Window, e.Origin.Pool, e.Origin.DType, e.Shards, e.Of, float64(e.Bytes)/1e6, state)
	}
	w.Flush()
	return b.String() + fmt.Sprintf("cache %s: %d entries, %.1f MB\n", res.Cache, len(res.Entries), float64(bytes)/1e6)
}
