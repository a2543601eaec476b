package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Format tags of the fmt chunk.
const (
	tagPCM        = 1
	tagFloat      = 3
	tagExtensible = 0xfffe
)

// maxChunks bounds the chunks walked over before the data chunk, so that a hostile file cannot keep the parser busy.
const maxChunks = 1 << 12

// wavFormat is what the header of a WAV file says, checked against the file's size.
type wavFormat struct {
	rate, channels int
	bits           int  // of one sample of one channel as stored
	float          bool // IEEE float; otherwise integer PCM
	frames         int
	data           int64 // offset of the first sample in bytes
}

// frameBytes is the stored size of one frame.
func (w wavFormat) frameBytes() int { return w.channels * w.bits / 8 }

// parseWAV reads the chunks of a RIFF WAVE file of size bytes up to its samples. No size in the file is trusted:
// every chunk must lie inside the file, and the data chunk must hold whole frames.
//
//	"RIFF" size "WAVE" { id size payload [pad to even] }...
func parseWAV(r io.ReaderAt, size int64) (wavFormat, error) {
	var w wavFormat
	var head [12]byte
	if err := readFull(r, head[:], 0); err != nil {
		return w, fmt.Errorf("%w: RIFF header: %d bytes, want at least 12", ErrInvalid, size)
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return w, fmt.Errorf("%w: got magic %q %q, want \"RIFF\" \"WAVE\"", ErrInvalid, head[:4], head[8:])
	}
	// The RIFF size may count a last pad byte that the writer left out.
	end := 8 + int64(binary.LittleEndian.Uint32(head[4:]))
	if end > size+1 {
		return w, fmt.Errorf("%w: truncated: RIFF size says %d bytes, the file has %d", ErrInvalid, end, size)
	}
	end = min(end, size)

	haveFormat, dataSize := false, int64(-1)
	pos := int64(12)
	for n := 0; !haveFormat || dataSize < 0; n++ {
		if n == maxChunks {
			return w, fmt.Errorf("%w: more than %d chunks and no samples among them", ErrInvalid, maxChunks)
		}
		if end-pos < 8 {
			return w, missingChunk(haveFormat)
		}
		var chunk [8]byte
		if err := readFull(r, chunk[:], pos); err != nil {
			return w, fmt.Errorf("chunk header at byte %d: %w", pos, err)
		}
		id, length := string(chunk[:4]), int64(binary.LittleEndian.Uint32(chunk[4:]))
		pos += 8
		if length > end-pos {
			return w, fmt.Errorf("%w: truncated: chunk %q at byte %d says %d bytes, %d are left", ErrInvalid, id, pos-8, length, end-pos)
		}
		switch id {
		case "fmt ":
			if haveFormat {
				return w, fmt.Errorf("%w: second fmt chunk at byte %d", ErrInvalid, pos-8)
			}
			buf := make([]byte, min(length, 40))
			if err := readFull(r, buf, pos); err != nil {
				return w, fmt.Errorf("fmt chunk: %w", err)
			}
			if err := w.parseFormat(buf); err != nil {
				return w, err
			}
			haveFormat = true
		case "data":
			if dataSize >= 0 {
				return w, fmt.Errorf("%w: second data chunk at byte %d", ErrInvalid, pos-8)
			}
			w.data, dataSize = pos, length
		}
		pos += length + length&1
	}
	frame := int64(w.frameBytes())
	if dataSize%frame != 0 {
		return w, fmt.Errorf("%w: data chunk of %d bytes is not a multiple of the frame of %d bytes", ErrInvalid, dataSize, frame)
	}
	w.frames = int(dataSize / frame)
	return w, nil
}

func missingChunk(haveFormat bool) error {
	if !haveFormat {
		return fmt.Errorf("%w: no fmt chunk", ErrInvalid)
	}
	return fmt.Errorf("%w: no data chunk", ErrInvalid)
}

// extensibleTail is the fixed end of the GUIDs that stand for a format tag in WAVE_FORMAT_EXTENSIBLE.
const extensibleTail = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

// parseFormat checks a fmt chunk: tag, channels, rate, bytes a second (ignored, often wrong), frame size, bits and, when
// extensible, extension size, valid bits, speaker mask, GUID.
func (w *wavFormat) parseFormat(b []byte) error {
	if len(b) < 16 {
		return fmt.Errorf("%w: fmt chunk of %d bytes, want at least 16", ErrInvalid, len(b))
	}
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16(b[at:])) }
	tag, align := u16(0), u16(12)
	w.channels, w.bits = u16(2), u16(14)
	rate := binary.LittleEndian.Uint32(b[4:])
	if tag == tagExtensible {
		if len(b) < 40 || u16(16) < 22 {
			return fmt.Errorf("%w: extensible fmt chunk is too short: %d bytes, want 40", ErrInvalid, len(b))
		}
		if valid := u16(18); valid > w.bits {
			return fmt.Errorf("%w: %d valid bits in samples of %d", ErrInvalid, valid, w.bits)
		}
		if string(b[26:40]) != extensibleTail {
			return fmt.Errorf("%w: unknown extensible format %x, want PCM or IEEE float", ErrInvalid, b[24:40])
		}
		tag = u16(24)
	}
	switch {
	case tag == tagPCM && (w.bits == 8 || w.bits == 16 || w.bits == 24 || w.bits == 32):
	case tag == tagFloat && (w.bits == 32 || w.bits == 64):
		w.float = true
	default:
		return fmt.Errorf("%w: format tag %#x of %d bits, want PCM of 8, 16, 24 or 32 bits or float of 32 or 64", ErrInvalid, tag, w.bits)
	}
	if w.channels == 0 {
		return fmt.Errorf("%w: 0 channels", ErrInvalid)
	}
	if rate == 0 || rate > 1<<24 {
		return fmt.Errorf("%w: sample rate %d Hz", ErrInvalid, rate)
	}
	w.rate = int(rate)
	if align != w.frameBytes() {
		return fmt.Errorf("%w: frame of %d bytes for %d channels of %d bits, want %d", ErrInvalid, align, w.channels, w.bits, w.frameBytes())
	}
	return nil
}

// readFull is ReadAt that reports a short file as corrupt input.
func readFull(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: truncated: %d of %d bytes at byte %d", ErrInvalid, n, len(b), off)
	}
	return err
}
