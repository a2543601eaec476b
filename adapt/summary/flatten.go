package summary

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"syncretic/checkpoint/chart"
)

// deepest is how far a JSON value may be nested: a recipe is not.
const deepest = 32

// flatten lists the leaves of a JSON value in their order, named by their paths; a list without objects in it is one leaf.
func flatten(doc []byte) ([]fact, error) {
	if len(doc) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var facts []fact
	err := walk(d, "", 0, &facts)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return facts, err
}

func walk(d *json.Decoder, at string, depth int, facts *[]fact) error {
	if depth > deepest {
		return fmt.Errorf("%s: nested deeper than %d", at, deepest)
	}
	token, err := d.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		*facts = append(*facts, fact{at, leaf(token)})
		return nil
	}
	before := len(*facts)
	objects := open == '{'
	for i := 0; d.More(); i++ {
		name := fmt.Sprintf("%s[%d]", at, i)
		if open == '{' {
			key, err := d.Token()
			if err != nil {
				return err
			}
			name = strings.TrimPrefix(at+"."+fmt.Sprint(key), ".")
		}
		n := len(*facts)
		if err := walk(d, name, depth+1, facts); err != nil {
			return err
		}
		objects = objects || len(*facts) != n+1 || (*facts)[n].name != name
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if objects {
		return nil
	}
	var values []string
	for _, f := range (*facts)[before:] {
		values = append(values, f.value)
	}
	*facts = append((*facts)[:before], fact{at, strings.Join(values, ", ")})
	return nil
}

func leaf(token json.Token) string {
	if token == nil {
		return chart.Dash
	}
	return fmt.Sprint(token)
}
