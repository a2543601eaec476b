package arithmetic

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Weighted is a named task vector with its scaling coefficient.
type Weighted struct {
	Name   string
	Lambda float64
}

// ParseExpression reads a linear expression of task vectors, such as `0.3*(makam + lyra) - hindustani`, and returns the vectors in
// the order of the text, each once, with what it is multiplied by. Negation (forgetting) is `-toxic`, analogy `c + b - a` (Ilharco
// et al. 2023, arXiv 2212.04089, section 5).
//
// The operators are + - * / and parentheses; numbers are decimal. Anything else is a name, up to the next space, +, * or
// parenthesis: paths as they are, also with / and -, so that a minus between names needs a space before and after it. A name in double quotes may
// hold anything else. A product of two vectors, a sum of a number and a vector, and a division by a vector are errors, which give
// the position in the text; they wrap [ErrInvalid].
func ParseExpression(text string) ([]Weighted, error) {
	p := &expressionParser{text: text}
	form, err := p.sum(0)
	if err != nil {
		return nil, err
	}
	if p.skip(); p.at < len(text) {
		return nil, p.wrong("%q is not expected here", text[p.at:min(len(text), p.at+12)])
	}
	if form.vectors == nil {
		return nil, invalid("expression %q: a number, and task vectors are wanted", text)
	}
	for _, v := range form.vectors {
		if math.IsNaN(v.Lambda) || math.IsInf(float64(float32(v.Lambda)), 0) {
			return nil, invalid("expression %q: %s is multiplied by %v, want a finite float32", text, v.Name, v.Lambda)
		}
	}
	return form.vectors, nil
}

// linear is a number, or a sum of task vectors where vectors is not nil.
type linear struct {
	number  float64
	vectors []Weighted
}

func (l linear) scaled(by float64) linear {
	l.number *= by
	l.vectors = append([]Weighted(nil), l.vectors...)
	for i := range l.vectors {
		l.vectors[i].Lambda *= by
	}
	return l
}

// mostNested bounds parentheses and signs in each other.
const mostNested = 100

type expressionParser struct {
	text string
	at   int
}

func (p *expressionParser) wrong(format string, args ...any) error {
	return invalid("expression %q, character %d: %s", p.text, p.at+1, fmt.Sprintf(format, args...))
}

func (p *expressionParser) skip() {
	for p.at < len(p.text) && strings.IndexByte(" \t\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// next reads one of the given characters, or 0.
func (p *expressionParser) next(of string) byte {
	p.skip()
	if p.at < len(p.text) && strings.IndexByte(of, p.text[p.at]) >= 0 {
		p.at++
		return p.text[p.at-1]
	}
	return 0
}

func (p *expressionParser) sum(depth int) (linear, error) {
	left, err := p.product(depth)
	for err == nil {
		op := p.next("+-")
		if op == 0 {
			return left, nil
		}
		at := p.at
		var right linear
		if right, err = p.product(depth); err != nil {
			break
		}
		if op == '-' {
			right = right.scaled(-1)
		}
		if (left.vectors == nil) != (right.vectors == nil) {
			p.at = at - 1
			return left, p.wrong("a number and a task vector do not add")
		}
		left.number += right.number
		left.vectors = joined(left.vectors, right.vectors)
	}
	return left, err
}

// joined adds sums of vectors, each name once.
func joined(a, b []Weighted) []Weighted {
	for _, v := range b {
		found := false
		for i := range a {
			if a[i].Name == v.Name {
				a[i].Lambda += v.Lambda
				found = true
			}
		}
		if !found {
			a = append(a, v)
		}
	}
	return a
}

func (p *expressionParser) product(depth int) (linear, error) {
	left, err := p.factor(depth)
	for err == nil {
		op := p.next("*/")
		if op == 0 {
			return left, nil
		}
		at := p.at
		var right linear
		if right, err = p.factor(depth); err != nil {
			break
		}
		switch {
		case op == '/' && right.vectors != nil:
			p.at = at - 1
			return left, p.wrong("a division by a task vector")
		case op == '/':
			left = left.scaled(1 / right.number)
		case left.vectors != nil && right.vectors != nil:
			p.at = at - 1
			return left, p.wrong("a product of two task vectors")
		case right.vectors != nil:
			left = right.scaled(left.number)
		default:
			left = left.scaled(right.number)
		}
	}
	return left, err
}

func (p *expressionParser) factor(depth int) (linear, error) {
	if depth > mostNested {
		return linear{}, p.wrong("more than %d parentheses and signs in each other", mostNested)
	}
	switch p.next("+-(") {
	case '+':
		return p.factor(depth + 1)
	case '-':
		l, err := p.factor(depth + 1)
		return l.scaled(-1), err
	case '(':
		l, err := p.sum(depth + 1)
		if err == nil && p.next(")") == 0 {
			err = p.wrong("a closing parenthesis is missing")
		}
		return l, err
	}
	return p.operand()
}

// operand reads a number or a name.
func (p *expressionParser) operand() (linear, error) {
	if p.skip(); p.at == len(p.text) {
		return linear{}, p.wrong("a task vector or a number is missing")
	}
	if p.text[p.at] == '"' {
		end := strings.IndexByte(p.text[p.at+1:], '"')
		if end <= 0 {
			return linear{}, p.wrong("a closing quotation mark is missing, or nothing is before it")
		}
		name := p.text[p.at+1 : p.at+1+end]
		p.at += end + 2
		return linear{vectors: []Weighted{{name, 1}}}, nil
	}
	end := p.at
	for end < len(p.text) && strings.IndexByte(" \t\n+*()\"", p.text[end]) < 0 {
		end++
	}
	word := p.text[p.at:end]
	if number := leadingNumber(word); number > 0 {
		value, err := strconv.ParseFloat(word[:number], 64)
		if err != nil {
			return linear{}, p.wrong("%q is not a number", word[:number])
		}
		p.at += number
		return linear{number: value}, nil
	}
	if word == "" || strings.IndexByte("/-", word[0]) >= 0 && len(word) == 1 {
		return linear{}, p.wrong("a task vector or a number is missing")
	}
	p.at = end
	return linear{vectors: []Weighted{{word, 1}}}, nil
}

// leadingNumber is how much of a word is a number: digits, a point, an exponent; 0 where the word is a name that begins so.
func leadingNumber(word string) int {
	end := 0
	for end < len(word) && (word[end] >= '0' && word[end] <= '9' || word[end] == '.') {
		end++
	}
	if end < len(word) && (word[end] == 'e' || word[end] == 'E') {
		exponent := end + 1
		if exponent < len(word) && word[exponent] == '-' {
			exponent++
		}
		digits := exponent
		for digits < len(word) && word[digits] >= '0' && word[digits] <= '9' {
			digits++
		}
		if digits > exponent {
			end = digits
		}
	}
	if strings.Trim(word[:end], ".") == "" || end < len(word) && strings.IndexByte("/-", word[end]) < 0 {
		return 0
	}
	if end < len(word) && word[end] == '/' && leadingNumber(word[end+1:]) == 0 && len(word) > end+1 {
		return 0 // a path such as 3/model
	}
	return end
}
