package audio

// offsets are the places of many frames in a file, in two bytes each instead of eight: an hour of MP3 has 138,000 frames. Those of a
// group are counted from the first of it.
type offsets struct {
	groups []int64
	within []uint16
}

// offsetGroup frames of MP3, of 1,441 bytes at most, span less than 64 KiB.
const offsetGroup = 32

// add appends an offset, at most 2 KiB behind the one before.
func (o *offsets) add(at int64) {
	if len(o.within)%offsetGroup == 0 {
		o.groups = append(o.groups, at)
	}
	o.within = append(o.within, uint16(at-o.groups[len(o.groups)-1]))
}

func (o *offsets) len() int { return len(o.within) }

func (o *offsets) at(i int) int64 { return o.groups[i/offsetGroup] + int64(o.within[i]) }

// bytes is the memory that they take.
func (o *offsets) bytes() int { return 8*cap(o.groups) + 2*cap(o.within) }
