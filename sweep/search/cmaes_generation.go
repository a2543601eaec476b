package search

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// What CMA-ES and NSGA-II share: random numbers, orders of trials, tags.

// stream returns the random numbers of one use of a seed, told apart by two numbers and a word of at most 8 letters. ChaCha8 makes
// those of neighbouring numbers independent.
func stream(seed uint64, use string, a, b int) *rand.Rand {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(a))
	binary.LittleEndian.PutUint64(key[16:], uint64(b))
	copy(key[24:], use)
	return rand.New(rand.NewChaCha8(key))
}

// nextNumber is the number of the trial that follows a history.
func nextNumber(history []Trial) int {
	if len(history) == 0 {
		return 0
	}
	return history[len(history)-1].Number + 1
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

// joinNumbers writes numbers of trials into a tag, in increasing order, and parseNumbers reads them: nil for what joinNumbers would not
// write.
func joinNumbers(trials []*Trial) string {
	numbers := make([]int, len(trials))
	for i, t := range trials {
		numbers[i] = t.Number
	}
	slices.Sort(numbers)
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, " ")
}

func parseNumbers(text string) []int {
	var numbers []int
	for field := range strings.FieldsSeq(text) {
		n, err := strconv.Atoi(field)
		if err != nil || n < 0 || len(numbers) > 0 && n <= numbers[len(numbers)-1] {
			return nil
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// numbered returns those of the trials whose numbers a tag lists; nil unless these are all that it lists.
func numbered(trials []*Trial, tag string) []*Trial {
	numbers := parseNumbers(tag)
	var found []*Trial
	for _, t := range trials {
		if _, ok := slices.BinarySearch(numbers, t.Number); ok {
			found = append(found, t)
		}
	}
	if len(found) != len(numbers) {
		return nil
	}
	return found
}

// better orders finished trials for one objective: complete ones that keep their constraints by value, then those that break
// them by how far, then those that were given up, the later first.
func better(d Direction) func(a, b *Trial) int {
	return func(a, b *Trial) int {
		switch {
		case a.State != b.State:
			return boolInt(a.State == Pruned) - boolInt(b.State == Pruned)
		case a.State == Pruned:
			stepA, valueA := lastStep(a)
			stepB, valueB := lastStep(b)
			if stepA != stepB {
				return stepB - stepA
			}
			return compareValues(valueA, valueB, d)
		}
		if c := compareValues(violation(a), violation(b), Minimize); c != 0 {
			return c
		}
		return compareValues(a.Values[0], b.Values[0], d)
	}
}

// lastStep returns the last part of a trial's evaluation, -1 if there was none, and its value.
func lastStep(t *Trial) (step int, value float64) {
	step, value = -1, math.NaN()
	for s, v := range t.Steps {
		if s > step {
			step, value = s, v
		}
	}
	return step, value
}
