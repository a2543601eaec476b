package method

// partition says which elements of a tensor make up one vector: all of them, a row along the last dimension, or a column along
// the first. Element e of vector v lies at
//
//	v·length + e    where stride is 1
//	v + e·stride    for columns: stride is the number of them
type partition struct{ vectors, length, stride int }

// whole takes the tensor for one vector.
func (t *Task) whole() partition { return partition{1, t.Elements(), 1} }

// byRow has a vector for each index of all dimensions but the last.
func (t *Task) byRow() partition {
	rows, width := t.rows()
	return partition{rows, width, 1}
}

// byColumn has a vector for each index of all dimensions but the first.
func (t *Task) byColumn() partition {
	n := t.Elements()
	if len(t.Shape) < 2 || n == 0 {
		return t.whole()
	}
	plane := n / t.Shape[0]
	if plane == 1 {
		return t.whole()
	}
	return partition{plane, t.Shape[0], plane}
}

// runs calls f for the parts of elements [offset, offset+n) that belong to one vector v each; lo and hi count from offset.
// It is for a stride of 1.
func (p partition) runs(offset, n int, f func(v, lo, hi int)) {
	for lo := 0; lo < n; {
		v := (offset + lo) / p.length
		hi := min(n, (v+1)*p.length-offset)
		f(v, lo, hi)
		lo = hi
	}
}
