package store

import (
	"encoding/binary"
	"encoding/json"
	"math"

	"syncretic/sweep/search"
)

// SearchTrials are trials as samplers are to see them: a point that failed more than limit times, and that no other trial has, is
// PRUNED where it failed last. So it counts, and is not proposed for ever; in the study it stays FAIL, and a larger limit brings it back.
// What workers put back on their way out did not fail. A limit of 0 or less gives nothing up.
func SearchTrials(trials []Trial, limit int) []search.Trial {
	out := make([]search.Trial, len(trials))
	failed, putBack := false, map[int]bool{}
	for i, t := range trials {
		out[i] = t.Trial
		failed = failed || t.State == search.Fail
		var numbers []int
		if list, ok := t.System[attrPutBack]; ok && json.Unmarshal(list, &numbers) == nil { // what is no list was not ours
			for _, n := range numbers {
				putBack[n] = true
			}
		}
	}
	if !failed || limit <= 0 {
		return out
	}
	failures, last := map[string]int{}, map[string]int{}
	for i, t := range trials {
		if t.State == search.Fail && !putBack[t.Number] {
			key := pointKey(t.Point)
			failures[key]++
			last[key] = i
		}
	}
	for _, t := range trials {
		if t.State != search.Fail {
			delete(last, pointKey(t.Point))
		}
	}
	for key, i := range last {
		if failures[key] > limit {
			out[i].State = search.Pruned
		}
	}
	return out
}

// pointKey tells points apart, bit by bit.
func pointKey(p search.Point) string {
	var key []byte
	for _, name := range sortedKeys(p) {
		key = append(key, name...)
		key = binary.LittleEndian.AppendUint64(append(key, 0), math.Float64bits(p[name]))
	}
	return string(key)
}
