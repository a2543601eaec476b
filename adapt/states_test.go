package adapt

import "testing"

// statesIn lists the steps of the states of an unfinished run.
func statesIn(t *testing.T, out string) []int {
	t.Helper()
	steps, err := (&work{dir: out + ".run"}).states()
	if err != nil {
		t.Fatal(err)
	}
	return steps
}
