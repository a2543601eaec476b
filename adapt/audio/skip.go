package audio

// Skipped is a recording that was left out because it could not be read: only where the caller asked for that, and never unnamed.
type Skipped struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// verifyBlock is how many samples are decoded at a time to verify a file.
const verifyBlock = 1 << 16

// Verify decodes a whole recording and returns the first error, which names the file and the place. Errors are those of
// [Options.Open] and [File.ReadAt].
func (o Options) Verify(path string) error {
	f, err := o.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	buf := make([]float32, min(verifyBlock, f.Frames))
	for at := 0; at < f.Frames; at += len(buf) {
		if err := f.ReadAt(buf[:min(len(buf), f.Frames-at)], at); err != nil {
			return err
		}
	}
	return nil
}
