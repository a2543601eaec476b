package arithmetic_test

import (
	"fmt"
	"log"

	"syncretic/arithmetic"
	"syncretic/checkpoint"
)

func weights(x ...float32) checkpoint.Source {
	m, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: []int{len(x)}, Data: x})
	if err != nil {
		log.Fatal(err)
	}
	return m
}

func ExampleSub() {
	base, makam := weights(1, 2, 3), weights(1, 4, 2)
	tau, err := arithmetic.Sub(makam, base)
	if err != nil {
		log.Fatal(err)
	}
	w, _ := checkpoint.ReadAll(tau, "w")
	fmt.Println(w)
	// Output: [0 2 -1]
}

func ExampleAdd() {
	base, makam, lyra := weights(1, 2, 3), weights(1, 4, 2), weights(2, 2, 3)
	tauMakam, _ := arithmetic.Sub(makam, base)
	tauLyra, _ := arithmetic.Sub(lyra, base)
	merged, err := arithmetic.Add(base, arithmetic.Scale(tauMakam, 0.5), arithmetic.Scale(tauLyra, 0.25))
	if err != nil {
		log.Fatal(err)
	}
	w, _ := checkpoint.ReadAll(merged, "w")
	fmt.Println(w)
	// Output: [1.25 3 2.5]
}

func ExampleScale() {
	base, makam := weights(1, 2, 3), weights(1, 4, 2)
	tau, _ := arithmetic.Sub(makam, base)
	forget, err := arithmetic.Add(base, arithmetic.Scale(tau, -1)) // negation: unlearn what makam learned
	if err != nil {
		log.Fatal(err)
	}
	w, _ := checkpoint.ReadAll(forget, "w")
	fmt.Println(w)
	// Output: [1 0 4]
}

func ExampleInterference() {
	report, err := arithmetic.Interference([]string{"makam", "lyra"}, []checkpoint.Source{weights(3, 4), weights(4, -3)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("norms", report.Norms, "cosine", report.Cosine[0][1], "sign conflict", report.SignConflict[0][1])
	// Output: norms [5 5] cosine 0 sign conflict 0.5
}
