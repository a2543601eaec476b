package arithmetic_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"syncretic/arithmetic"
)

func ExampleParseExpression() {
	terms, err := arithmetic.ParseExpression("0.5*(makam + lyra) - hindustani")
	fmt.Println(terms, err)
	// Output: [{makam 0.5} {lyra 0.5} {hindustani -1}] <nil>
}

func TestParseExpression(t *testing.T) {
	for text, want := range map[string]string{
		"a":                        "[{a 1}]",
		"-a":                       "[{a -1}]",
		"c + b - a":                "[{c 1} {b 1} {a -1}]",
		"a + a":                    "[{a 2}]",
		"a - a":                    "[{a 0}]",
		"2*3*a":                    "[{a 6}]",
		"a*0.5":                    "[{a 0.5}]",
		"(a + b)/4":                "[{a 0.25} {b 0.25}]",
		"1/4*(a + b)":              "[{a 0.25} {b 0.25}]",
		"-(a - 2*(b - c))":         "[{a -1} {b 2} {c -2}]",
		"1e-2*a":                   "[{a 0.01}]",
		"models/mert-v1/makam.x*2": "[{models/mert-v1/makam.x 2}]",
		`"my model + b" * 3`:       "[{my model + b 3}]",
		"./a-b + ../c":             "[{./a-b 1} {../c 1}]",
		"3/model":                  "[{3/model 1}]",
		"2nd*2":                    "[{2nd 2}]",
		"+-+a":                     "[{a -1}]",
	} {
		got, err := arithmetic.ParseExpression(text)
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v, %v; want %s", text, got, err, want)
		}
	}
	for text, says := range map[string]string{
		"":                       "character 1: a task vector or a number is missing",
		"3":                      "a number, and task vectors are wanted",
		"a + 3":                  "character 3: a number and a task vector do not add",
		"a * b":                  "character 3: a product of two task vectors",
		"1 / a":                  "character 3: a division by a task vector",
		"(a":                     "a closing parenthesis is missing",
		"a b":                    `character 3: "b" is not expected here`,
		"a)":                     `")" is not expected here`,
		`"a`:                     "a closing quotation mark is missing",
		`""`:                     "a closing quotation mark is missing, or nothing is before it",
		"a / 0":                  "a is multiplied by +Inf",
		"1e300*a":                "want a finite float32",
		"a +":                    "a task vector or a number is missing",
		strings.Repeat("(", 200): "more than 100 parentheses",
	} {
		if _, err := arithmetic.ParseExpression(text); !errors.Is(err, arithmetic.ErrInvalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%.20s: %v, want %q", text, err, says)
		}
	}
}

// What is read is linear: an expression and the sum of its terms are one.
func FuzzParseExpression(f *testing.F) {
	for _, text := range []string{"0.3*(makam + lyra) - h", `-"x y"/2`, "a-b - c", "((1))*a", "1e-3*q/7"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		terms, err := arithmetic.ParseExpression(text)
		if err != nil {
			if !errors.Is(err, arithmetic.ErrInvalid) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		var sum []string
		for _, term := range terms {
			if strings.Contains(term.Name, `"`) {
				return
			}
			sum = append(sum, fmt.Sprintf("%v*%q", term.Lambda, term.Name))
			if fmt.Sprintf("%q", term.Name) != `"`+term.Name+`"` {
				return // Go's quotation marks escape, ours do not
			}
		}
		again, err := arithmetic.ParseExpression(strings.ReplaceAll(strings.Join(sum, " + "), "e+", "e"))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(terms) {
			t.Fatalf("%q is %v, and its sum is %v (%v)", text, terms, again, err)
		}
	})
}
