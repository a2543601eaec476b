package audio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// This is the one file that starts another program (the tests of cmd/syncretic see to that): ffmpeg, for containers that no library here
// reads. Only what the user has on PATH is started, on a local file, with no shell and no network.

// openFFmpeg decodes a recording by ffmpeg into a temporary file of mono float32. The cause says why it is needed.
func openFFmpeg(path string, f *os.File, size int64, cause error) (stored, error) {
	program, err := exec.LookPath("ffmpeg")
	if err != nil {
		return stored{}, fmt.Errorf("%w: %w, and the program ffmpeg, which would read it, is not on PATH", ErrInvalid, cause)
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return stored{}, err
	}
	// Sun AU has the simplest header that says rate and channels before the samples' number is known.
	cmd := exec.Command(program, "-nostdin", "-hide_banner", "-v", "error", "-protocol_whitelist", "file", "-i", "file:"+full,
		"-map", "0:a:0", "-c:a", "pcm_f32be", "-f", "au", "pipe:1")
	var complaint bytes.Buffer
	cmd.Stderr = &limited{w: &complaint, left: 4 << 10}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return stored{}, err
	}
	if err := cmd.Start(); err != nil {
		return stored{}, fmt.Errorf("ffmpeg: %w", err)
	}
	s, err := spool(out, size)
	if err != nil {
		_ = cmd.Process.Kill() // it may have ended by itself
	}
	ended := cmd.Wait()
	said, _, _ := strings.Cut(strings.TrimSpace(complaint.String()), "\n")
	switch {
	case said != "": // it goes on after errors in the data and leaves a hole
		err = fmt.Errorf("%w: %w; ffmpeg: %s", ErrInvalid, cause, said)
	case err == nil && ended != nil:
		err = fmt.Errorf("%w: %w; ffmpeg: %w", ErrInvalid, cause, ended)
	}
	if err != nil {
		if s.body != nil {
			err = errors.Join(err, s.close())
		}
		return stored{}, err
	}
	return s, f.Close()
}

// ffmpegPlausible bounds what ffmpeg may write, in samples a byte of its input: it keeps a small file from filling the disk.
const ffmpegPlausible = 1 << 10

// spool mixes an AU stream of float32 to mono in a temporary file.
//
//	".snd" | 4 offset of the samples | 4 their size, unknown | 4 encoding: 6 | 4 rate | 4 channels
func spool(r io.Reader, size int64) (s stored, err error) {
	br := bufio.NewReaderSize(r, 64<<10)
	var head [24]byte
	if _, err := io.ReadFull(br, head[:]); err != nil {
		return s, fmt.Errorf("%w: ffmpeg wrote no samples: %w", ErrInvalid, err)
	}
	u32 := func(at int) int64 { return int64(binary.BigEndian.Uint32(head[at:])) }
	offset, channels := u32(4), u32(20)
	if string(head[:4]) != ".snd" || u32(12) != 6 || offset < 24 || offset > 1<<16 || channels < 1 || channels > 1<<10 {
		return s, fmt.Errorf("%w: ffmpeg wrote the header % x", ErrInvalid, head)
	}
	if _, err := br.Discard(int(offset - 24)); err != nil {
		return s, fmt.Errorf("%w: ffmpeg wrote no samples: %w", ErrInvalid, err)
	}
	file, err := os.CreateTemp("", "syncretic-*.f32")
	if err != nil {
		return s, err
	}
	t := &temporaryFile{File: file, gone: os.Remove(file.Name()) == nil}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	w := bufio.NewWriterSize(file, 64<<10)
	frames, most := int64(0), min(maxFLAC, ffmpegPlausible*size+1<<20)
	frame, mono := make([]byte, 4*channels), make([]byte, 4)
	for ; ; frames++ {
		_, err := io.ReadFull(br, frame)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return s, fmt.Errorf("%w: ffmpeg ended within a sample: %w", ErrInvalid, err)
		}
		if frames == most {
			return s, fmt.Errorf("%w: ffmpeg wrote more than %d samples for %d bytes", ErrInvalid, most, size)
		}
		var sum float64
		for b := frame; len(b) > 0; b = b[4:] {
			sum += float64(math.Float32frombits(binary.BigEndian.Uint32(b)))
		}
		binary.LittleEndian.PutUint32(mono, math.Float32bits(float32(sum/float64(channels))))
		if _, err := w.Write(mono); err != nil {
			return s, err
		}
	}
	if err := w.Flush(); err != nil {
		return s, err
	}
	format := wavFormat{rate: int(u32(16)), channels: 1, bits: 32, float: true, frames: int(frames)}
	return stored{body: &wavBody{wavFormat: format, r: file, c: t}, rate: format.rate, channels: int(channels), frames: format.frames, spooled: true}, nil
}

// temporaryFile has no name from the start, where the system allows that, so that nothing is left whatever happens; else it is removed
// when it is closed.
type temporaryFile struct {
	*os.File
	gone bool
}

func (t *temporaryFile) Close() error {
	err := t.File.Close()
	if !t.gone {
		err = errors.Join(err, os.Remove(t.Name()))
	}
	return err
}

// limited drops what comes after the first bytes.
type limited struct {
	w    io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	if _, err := l.w.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}
