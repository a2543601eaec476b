package checkpoint

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// victimTask is the environment variable that makes the test binary a writer, with what to write as JSON.
const victimTask = "SYNCRETIC_TEST_VICTIM"

// task is what a victim writes: a generation of the model, to path.
type task struct {
	Path       string
	Generation int
	Resume     string
	Slow       time.Duration // before each operation once the last shard is being synced
	SlowAll    time.Duration // before each other one
}

const victimShards = 4

// generation makes a model of 8 tensors, 2 a shard, computed as it is read, and its options. No number is in two generations.
func generation(n int) (Source, WriteOptions) {
	var infos []Info
	for i := range 2 * victimShards {
		infos = append(infos, Info{fmt.Sprintf("layer.%d", i), F32, []int{256, 160}})
	}
	return counted{infos, float32(n)}, WriteOptions{
		Force: true, Digest: true, ShardBytes: 2 * 4 * 256 * 160,
		SideFiles: []SideFile{{"config.json", fmt.Appendf(nil, `{"generation": %d}`, n)}},
	}
}

// counted has numbers that tell tensor, place and generation apart.
type counted struct {
	infos []Info
	n     float32
}

func (c counted) Tensors() []Info { return c.infos }

func (c counted) Read(name string, offset int, dst []float32) error {
	for i := range dst {
		dst[i] = c.n + float32(name[len(name)-1])/256 + float32((offset+i)%251)/65536
	}
	return nil
}

// victim runs in a process of its own. It writes a line to descriptor 3 before each operation, and one when it is done.
func victim(text string) int {
	var t task
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return 2
	}
	says := os.NewFile(3, "says")
	slow := t.SlowAll
	last := fmt.Sprintf("model-%05d-of-%05[1]d.safetensors", victimShards)
	d := &disk{before: func(op, path string) error {
		if _, err := fmt.Fprintln(says, op, filepath.Base(path)); err != nil {
			return err
		}
		if op == "sync" && filepath.Base(path) == last {
			slow = t.Slow
		}
		time.Sleep(slow)
		return nil
	}}
	src, opts := generation(t.Generation)
	opts.Resume = t.Resume
	if _, err := writeAll(context.Background(), d, []Output{{t.Path, src, opts}}); err != nil {
		fmt.Fprintln(says, "error", err)
		return 1
	}
	fmt.Fprintln(says, "done")
	return 0
}

// started is a victim at work.
type started struct {
	process *os.Process
	says    *bufio.Scanner
	heard   []string
	close   func() error
}

// start starts a victim. It works on one processor, so that its operations come in one order.
func start(t *testing.T, what task) *started {
	t.Helper()
	text, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := os.StartProcess(self, []string{self}, &os.ProcAttr{
		Env:   append(os.Environ(), victimTask+"="+string(text), "GOMAXPROCS=1"),
		Files: []*os.File{nil, os.Stderr, os.Stderr, w},
	})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return &started{p, bufio.NewScanner(r), nil, r.Close}
}

// until waits for the nth line that begins so, and tells whether it came.
func (s *started) until(n int, prefix string) bool {
	for n > 0 && s.says.Scan() {
		s.heard = append(s.heard, s.says.Text())
		if strings.HasPrefix(s.says.Text(), prefix) {
			n--
		}
	}
	return n == 0
}

// kill ends it and returns everything that it said.
func (s *started) kill(t *testing.T) []string {
	t.Helper()
	if err := s.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	s.until(1, "no line begins so")
	if _, err := s.process.Wait(); err != nil {
		t.Fatal(err)
	}
	s.close()
	return s.heard
}
