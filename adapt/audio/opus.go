package audio

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/pion/opus"
)

// opusReader decodes an Opus stream. Each packet's sound depends on those before it, less and less the further back they are. So that any
// place can be reached and always sounds the same, the stream is decoded in segments of ten seconds, each by a fresh decoder that
// begins a second earlier: RFC 7845 asks for 80 ms, and after a second nothing of the difference is left in float32.
type opusReader struct {
	f       readerAtCloser
	x       *opusIndex
	packets oggPackets
	decoder opus.Decoder
	pos     int // of the next packet
	segment int
	pcm     []float32
	block   []float32
}

// opusSegment is the length of a segment in marks, which are a second apart.
const opusSegment = 10

func openOpus(path string, f *os.File, size int64) (stored, error) {
	x, err := indexOpus(f, size)
	if errors.Is(err, errForFFmpeg) {
		return openFFmpeg(path, f, size, err)
	}
	if err != nil {
		return stored{}, err
	}
	return storedOpus(f, x, size), nil
}

func storedOpus(f readerAtCloser, x *opusIndex, size int64) stored {
	return stored{body: &blocks{far: opusSegment * opusRate, r: newOpusReader(f, x, size)}, rate: opusRate, channels: x.channels, frames: x.frames, index: x}
}

func newOpusReader(f readerAtCloser, x *opusIndex, size int64) *opusReader {
	return &opusReader{f: f, x: x, packets: oggPackets{r: f, size: size}, pcm: make([]float32, opusLongest*x.channels)}
}

func (r *opusReader) close() error { return r.f.Close() }

func (r *opusReader) seek(sample int) (int, error) {
	sample += r.x.skip
	k := sample / (opusSegment * opusRate)
	for k > 0 && (k*opusSegment >= len(r.x.marks) || r.x.marks[k*opusSegment].pos > sample) {
		k--
	}
	if err := r.begin(k); err != nil {
		return 0, err
	}
	return r.pos - r.x.skip, nil
}

// begin prepares for the first packet of a segment.
func (r *opusReader) begin(segment int) (err error) {
	r.segment = segment
	if r.decoder, err = opus.NewDecoderWithOutput(opusRate, r.x.channels); err != nil {
		return fmt.Errorf("opus: %w", err)
	}
	target := r.x.marks[segment*opusSegment]
	from := r.x.marks[max(0, segment*opusSegment-1)]
	r.pos = from.pos
	if err := r.packets.seek(from.place); err != nil {
		return err
	}
	for r.pos < target.pos {
		if _, err := r.decode(); err != nil {
			return err
		}
	}
	return nil
}

// next decodes a packet, mixes it to mono and applies the header's gain.
func (r *opusReader) next() ([]float32, error) {
	if after := (r.segment + 1) * opusSegment; after < len(r.x.marks) && r.pos >= r.x.marks[after].pos {
		if err := r.begin(r.segment + 1); err != nil {
			return nil, err
		}
	}
	n, err := r.decode()
	if err != nil {
		return nil, err
	}
	r.block = r.block[:0]
	scale := r.x.gain / float64(r.x.channels)
	for i := range n {
		var sum float64
		for c := range r.x.channels {
			sum += float64(r.pcm[i*r.x.channels+c])
		}
		v := float32(sum * scale)
		if v-v != 0 {
			return nil, fmt.Errorf("%w: Opus packet at byte %d decodes to samples that are not finite", ErrInvalid, r.packets.page.at)
		}
		r.block = append(r.block, v)
	}
	return r.block, nil
}

// decode decodes the next packet into pcm and returns its length in samples.
func (r *opusReader) decode() (n int, err error) {
	packet, place, err := r.packets.read(maxPacket)
	if errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("%w: the Opus stream ends at sample %d", ErrInvalid, r.pos)
	}
	if err != nil {
		return 0, err
	}
	what := fmt.Sprintf("Opus packet at byte %d", place.page)
	defer recoverDecoder(what, &err)
	want, err := opusDuration(packet)
	if err == nil {
		n, err = r.decoder.DecodeToFloat32(packet, r.pcm)
	}
	if err != nil {
		return 0, fmt.Errorf("%w: %s: %w", ErrInvalid, what, err)
	}
	if n != want {
		return 0, fmt.Errorf("%w: %s decodes to %d samples, its header says %d", ErrInvalid, what, n, want)
	}
	r.pos += n
	return n, nil
}

// decibels is a factor of amplitude.
func decibels(db float64) float64 { return math.Pow(10, db/20) }
