package torchfile

import (
	"fmt"
	"math/bits"
	"strings"
)

// place finds a tensor's elements in the bytes of its storage. limit is the file's length.
func (t *Tensor) place(content []byte, offset uint64, strides []int, limit int) error {
	elements, last := uint64(1), offset
	var many, far uint64 // not 0 where that overflows
	for i, length := range t.Shape {
		over, n := bits.Mul64(elements, uint64(length))
		elements, many = n, many|over
		if length > 0 {
			over, step := bits.Mul64(uint64(length-1), uint64(strides[i]))
			sum, carry := bits.Add64(last, step, 0)
			last, far = sum, far|over|carry
		}
	}
	room := uint64(len(content) / t.size)
	switch {
	case many != 0:
		return broken(RuleTensor, "shape %s: more elements than 64 bits count", numbers(t.Shape))
	case elements == 0:
		t.Bytes = []byte{}
		return nil
	case far != 0 || last >= room:
		return broken(RuleTensor, "shape %s with strides %s and offset %d reaches beyond its storage of %d elements", numbers(t.Shape), numbers(strides), offset, room)
	case elements > uint64(limit/t.size): // an expanded view
		return broken(RuleTensor, "shape %s with strides %s repeats its storage of %d elements to more than the file's length", numbers(t.Shape), numbers(strides), room)
	}
	t.join(strides)
	t.origin = content[int(offset)*t.size:]
	if len(t.axes) == 0 || len(t.axes) == 1 && t.axes[0].stride == 1 {
		n := int(elements) * t.size
		t.Bytes = t.origin[:n:n]
	}
	return nil
}

// join fills axes.
func (t *Tensor) join(strides []int) {
	for i, length := range t.Shape {
		if length == 1 {
			continue
		}
		next := axis{length, strides[i]}
		if n := len(t.axes); n > 0 && t.axes[n-1].stride == next.length*next.stride {
			t.axes[n-1] = axis{t.axes[n-1].length * next.length, next.stride}
		} else {
			t.axes = append(t.axes, next)
		}
	}
}

// numbers shows a shape, cut where it is long.
func numbers(list []int) string {
	const most = 8
	if len(list) <= most {
		return fmt.Sprint(list)
	}
	return fmt.Sprintf("%s and %d more]", strings.TrimSuffix(fmt.Sprint(list[:most]), "]"), len(list)-most)
}
