package audio

import (
	"errors"
	"io"
)

// sniff names the container that starts with head. WAV, FLAC, MP3 and Opus are read here.
func sniff(head []byte) string {
	has := func(at int, magic string) bool {
		return len(head) >= at+len(magic) && string(head[at:at+len(magic)]) == magic
	}
	switch {
	case has(0, "RIFF") && has(8, "WAVE"):
		return "WAV"
	case has(0, "fLaC"):
		return "FLAC"
	case has(0, "OggS") && has(28, "OpusHead"):
		return "Opus"
	case has(0, "OggS"):
		return "Ogg that is not Opus alone"
	case has(0, "RIFF"):
		return "a RIFF file that is not WAVE"
	case has(0, "RF64"), has(0, "BW64"):
		return "a 64-bit WAV (RF64)"
	case has(0, "RIFX"):
		return "a big-endian WAV (RIFX)"
	case has(0, "FORM"):
		return "AIFF"
	case has(4, "ftyp"):
		return "MP4 or M4A"
	case has(0, "\x1a\x45\xdf\xa3"):
		return "Matroska or WebM"
	case len(head) >= 4:
		if h, ok := parseMP3Header(head); ok && h.layer == 3 {
			return "MP3"
		}
	}
	return "an unknown container"
}

// skipID3 returns where a file begins behind its ID3v2 tags, which players put before MP3 and FLAC: "ID3", version (2 bytes), flags, and
// the size in four bytes of 7 bits. A tag that leaves the file is left to who reads on.
func skipID3(r io.ReaderAt, size int64) (int64, error) {
	var at int64
	for at < size {
		var head [10]byte
		n, err := r.ReadAt(head[:], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if n < len(head) || string(head[:3]) != "ID3" || (head[6]|head[7]|head[8]|head[9])&0x80 != 0 {
			break
		}
		at += 10 + int64(head[6])<<21 + int64(head[7])<<14 + int64(head[8])<<7 + int64(head[9])
		if head[5]&0x10 != 0 {
			at += 10 // the footer
		}
	}
	return at, nil
}
