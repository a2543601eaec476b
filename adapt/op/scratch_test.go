package op

import "testing"

// Classes hold what they are asked for, with less than a quarter to spare, and a buffer comes back to the class it is from.
func TestClass(t *testing.T) {
	last := -1
	for n := 1; n < 1<<14; n++ {
		index, size := class(n)
		if size < n || n > 8 && 4*size >= 5*n+4 {
			t.Fatalf("class(%d) has size %d", n, size)
		}
		if again, same := class(size); again != index || same != size {
			t.Fatalf("class(%d) = %d, %d, but class(%d) = %d, %d", n, index, size, size, again, same)
		}
		if index < last || index >= len(pools) {
			t.Fatalf("class(%d) = %d after %d", n, index, last)
		}
		last = index
	}
	if index, size := class(1 << 40); size != 1<<40 || index >= len(pools) {
		t.Errorf("class(2^40) = %d, %d", index, size)
	}
}

// Results without a graph may be released, and their memory serves again; those of a graph keep theirs.
func TestRelease(t *testing.T) {
	x := Tensor(3, 4, []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	for range 3 {
		y := Add(x, x)
		if got := values(y)[11]; got != 24 {
			t.Fatalf("12 + 12 = %g", got)
		}
		Release(y)
	}
	p := Param(3, 4, make([]float32, 12))
	y := Add(x, p)
	Release(y)
	Release(p)
	Release(Add(x, x)) // would get y's memory
	if got := values(y)[11]; got != 12 {
		t.Fatalf("a result of a graph became %g, want 12", got)
	}
}
