package metric

import "testing"

// BenchmarkLarge is 100,000 items with 50 tags: ROC-AUC and average precision, macro, micro and per tag.
func BenchmarkLarge(b *testing.B) {
	scores, labels := random(13, 100_000, 50)
	for b.Loop() {
		if _, err := MultiLabel(scores, labels, 0.5); err != nil {
			b.Fatal(err)
		}
	}
}
