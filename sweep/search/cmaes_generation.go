package search

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// What CMA-ES and NSGA-II share: generations of trials in a history.

// spent reports whether all trials of a study were proposed, and whether that is final: a running one may yet fail, and then
// another takes its place. trials is 0 where there is no end.
func spent(history []Trial, trials int) (none, over bool) {
	proposed, ended := 0, true
	for i := range history {
		if history[i].State != Fail {
			proposed++
			ended = ended && history[i].State.Finished()
		}
	}
	none = trials > 0 && proposed >= trials
	return none, none && ended
}

// trialStream returns the random numbers of the trial that follows a history: the same for the same history, and independent
// of those of every other trial.
func trialStream(seed uint64, history []Trial) *rand.Rand {
	next := 0
	if len(history) > 0 {
		next = history[len(history)-1].Number + 1
	}
	return stream("trial", seed, next)
}

func stream(use string, seed uint64, number int) *rand.Rand {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(number))
	copy(key[16:], use)
	return rand.New(rand.NewChaCha8(key))
}

// violation is by how much a trial breaks its constraints, summed over them.
func violation(t *Trial) float64 {
	var sum float64
	for _, c := range t.Constraints {
		if !(c <= 0) {
			sum += c
		}
	}
	if math.IsNaN(sum) {
		return math.Inf(1)
	}
	return sum
}

// compareValues orders two values of an objective, the better first, and what is no number last.
func compareValues(a, b float64, d Direction) int {
	switch {
	case math.IsNaN(a) || math.IsNaN(b):
		return boolInt(math.IsNaN(a)) - boolInt(math.IsNaN(b))
	case a == b:
		return 0
	case (a < b) == (d == Minimize):
		return -1
	}
	return 1
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// joinNumbers writes numbers of trials into a tag, and parseNumbers reads them: nil for what joinNumbers would not write.
func joinNumbers(numbers []int) string {
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, " ")
}

func parseNumbers(text string) []int {
	var numbers []int
	for _, field := range strings.Fields(text) {
		n, err := strconv.Atoi(field)
		if err != nil || n < 0 || slices.Contains(numbers, n) {
			return nil
		}
		numbers = append(numbers, n)
	}
	return numbers
}
