package torchfile

import "fmt"

// value is what the machine's stack and memo hold: one of the types below, an int64 or a bool. Values refer to each other as
// the file says, in circles too, so nothing walks through them to any depth.
type value any

type (
	none  struct{}
	other struct{} // a float or bytes: no tensor is made of it
	text  []byte   // a string, in the file
	long  []byte   // an integer of more than 8 bytes, little-endian, in the file
)

// global is a name of Python's: a class or a function.
type global struct {
	module, name text
	is           builtin
}

// String is the full name, cut where it is long.
func (g *global) String() string {
	full := quoted(string(g.module[:min(len(g.module), 100)]) + "." + string(g.name[:min(len(g.name), 100)]))
	return full[1 : len(full)-1]
}

// opaque stands for what an unknown class or function would have made. Of its parts only the attributes are kept that the
// file gives it afterwards, for Labels.
type opaque struct {
	class      *global // nil for what not even has a name
	holds      bool    // made of tensors
	attributes value
}

// Containers know whether tensors are in them, as far as these were there when they were filled: an honest pickler fills the
// inner one first.
type (
	tuple struct {
		items []value
		holds bool
	}
	list struct { // or a set
		items []value
		holds bool
	}
	dict struct {
		pairs []pair
		from  *list // pairs before those, each a list of two: how Python 2 stores an OrderedDict
		holds bool
	}
	pair struct{ key, value value }
)

// storage is a run of elements that tensors are views of.
type storage struct {
	key      string
	class    *global
	dtype    string // "" where safetensors has no such type
	size     int    // bytes of one element, 0 for an unknown type
	elements int
	bytes    []byte // legacy container only
}

// view is a part of a storage, in elements: in the legacy container storages can be views of others.
type view struct {
	of            *storage
	begin, length int
}

// tensor is a call that makes one, not checked before the tensor is chosen.
type tensor struct {
	make   *global
	args   *tuple
	listed int // the length of the list of chosen tensors when this was its last
}

// holds tells whether tensors are in a value.
func holds(v value) bool {
	switch v := v.(type) {
	case *tensor, *view:
		return true
	case *tuple:
		return v.holds
	case *list:
		return v.holds
	case *dict:
		return v.holds || v.from != nil && v.from.holds
	case *opaque:
		return v.holds
	}
	return false
}

func anyHolds(values []value) bool {
	for _, v := range values {
		if holds(v) {
			return true
		}
	}
	return false
}

// all visits a dictionary's pairs in order.
func (d *dict) all(yield func(pair) bool) {
	if d.from != nil {
		for _, item := range d.from.items {
			var two []value
			switch item := item.(type) {
			case *list:
				two = item.items
			case *tuple:
				two = item.items
			}
			if len(two) == 2 && !yield(pair{two[0], two[1]}) {
				return
			}
		}
	}
	for _, p := range d.pairs {
		if !yield(p) {
			return
		}
	}
}

// length is the number of pairs that all visits, at most.
func (d *dict) length() int {
	n := len(d.pairs)
	if d.from != nil {
		n += len(d.from.items)
	}
	return n
}

// find is the value of a key, nil where there is none.
func (d *dict) find(key string) (found value) {
	for p := range d.all {
		if isText(p.key, key) {
			found = p.value
		}
	}
	return found
}

// isText tells whether a value is the given text.
func isText(v value, want string) bool {
	got, ok := v.(text)
	return ok && string(got) == want
}

// kind says what a value is, for messages.
func kind(v value) string {
	switch v := v.(type) {
	case none:
		return "None"
	case bool, int64:
		return fmt.Sprint(v)
	case text:
		return quoted(v)
	case long:
		return "a long integer"
	case *global:
		return v.String()
	case *opaque:
		if v.class == nil {
			return "an object of a kind unknown here"
		}
		return "an object of " + v.class.String()
	case *tuple:
		return "a tuple"
	case *list:
		return "a list"
	case *dict:
		return "a dict"
	case *view:
		return "a storage"
	case *tensor:
		return "a tensor"
	}
	return "a number or bytes"
}
