package audio

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// mp3Decoder is the delay, in samples, of every decoder of layer III: what an encoder's delay does not count.
const mp3Decoder = 529

// mp3Info is what the first frame says of a stream when it holds no audio but a table of contents: Xing's, or LAME's that grew out of
// it, or Fraunhofer's.
type mp3Info struct {
	frames, bytes  int // of the stream, without and with this frame; 0 where it does not say
	delay, padding int // samples that the encoder put before and after the recording
	trimmed        bool
}

// parseMP3Info reads the table of contents in a frame; false when the frame is audio.
//
//	"Xing" or "Info" | 4 flags | [4 frames] | [4 bytes] | [100 table] | [4 quality] | 9 encoder | 12 others | 12 bits delay, 12 padding
func parseMP3Info(h mp3Header, frame []byte) (info mp3Info, ok bool) {
	if bytes.HasPrefix(frame[min(len(frame), 36):], []byte("VBRI")) {
		return info, true
	}
	b := frame[min(len(frame), 4+h.side()):]
	if !bytes.HasPrefix(b, []byte("Xing")) && !bytes.HasPrefix(b, []byte("Info")) || len(b) < 8 {
		return info, false
	}
	flags := b[7]
	b = b[8:]
	for _, field := range []struct {
		flag   byte
		length int
		to     *int
	}{{1, 4, &info.frames}, {2, 4, &info.bytes}, {4, 100, nil}, {8, 4, nil}} {
		if flags&field.flag == 0 {
			continue
		}
		if len(b) < field.length {
			return info, true
		}
		if field.to != nil {
			*field.to = int(min(binary.BigEndian.Uint32(b), 1<<31-1))
		}
		b = b[field.length:]
	}
	if len(b) >= 24 && slices.Contains([]string{"LAME", "Lavf", "Lavc"}, string(b[:4])) {
		info.delay = int(b[21])<<4 | int(b[22])>>4
		info.padding = int(b[22]&15)<<8 | int(b[23])
		info.trimmed = true
	}
	return info, true
}

// trim returns where, in the samples that n frames decode to, the recording lies.
func (i mp3Info) trim(n, samples int) (start, end int) {
	start, end = 0, n*samples
	if i.trimmed {
		start = i.delay + mp3Decoder
		if i.frames == 0 || n <= i.frames { // more frames than the tag knows: something was joined on, and the padding is not at the end
			end = min(end, end-i.padding+mp3Decoder)
		}
	}
	return min(start, end), end
}
