package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// journalName is the record, inside of a staged directory, of what is finished there.
const journalName = ".resume.journal"

// journal says which files of a staged directory are complete and durable. Each line is the sha-256 of a JSON value in hex, a
// space, and that value: first a journalHead, then a journalFile for each finished file. A line without its end is not there yet.
type journal struct {
	disk *disk
	mu   sync.Mutex
	file *os.File
	end  int64
	done map[string]journalFile
}

// journalHead is what two runs must have in common for the later to go on with the earlier one's files.
type journalHead struct {
	Resume string `json:"resume"` // the caller's fingerprint of recipe and inputs
	Plan   string `json:"plan"`   // sha-256 of every file's name and header
	Digest bool   `json:"digest"`
}

type journalFile struct {
	Name    string   `json:"file"`
	Bytes   int64    `json:"bytes"`
	Digests []string `json:"digests,omitempty"` // of the tensors, in the order of the data
}

// newJournal begins a journal in an empty staged directory.
func newJournal(d *disk, dir string, head journalHead) (*journal, error) {
	f, err := d.create(filepath.Join(dir, journalName))
	if err != nil {
		return nil, err
	}
	j := &journal{disk: d, file: f, done: make(map[string]journalFile)}
	if err := j.append(head); err != nil {
		return nil, closing(f, err)
	}
	return j, nil
}

// openJournal opens the journal of a killed writer. ok is false where there is none, it is of another head, or any of it is
// damaged: a record that cannot be trusted wholly is not trusted at all.
func openJournal(d *disk, dir string, want journalHead) (j *journal, ok bool) {
	path := filepath.Join(dir, journalName)
	text, err := readSmall(path)
	if err != nil {
		return nil, false
	}
	head, files, end, err := parseJournal(text)
	if err != nil || head != want {
		return nil, false
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, false
	}
	j = &journal{disk: d, file: f, end: end, done: make(map[string]journalFile)}
	for _, done := range files {
		j.done[done.Name] = done
	}
	if f.Truncate(end) != nil {
		f.Close()
		return nil, false
	}
	return j, true
}

// parseJournal reads the whole lines of a journal; end is where they end.
func parseJournal(text []byte) (head journalHead, files []journalFile, end int64, err error) {
	for n := 0; ; n++ {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		if !whole {
			if n == 0 {
				err = invalid("journal without a first line")
			}
			return head, files, end, err
		}
		sum, value, _ := bytes.Cut(line, []byte(" "))
		if want := sha256.Sum256(value); string(sum) != hex.EncodeToString(want[:]) {
			return head, nil, 0, invalid("journal line %d: damaged", n+1)
		}
		if n == 0 {
			err = json.Unmarshal(value, &head)
		} else {
			var f journalFile
			err = json.Unmarshal(value, &f)
			files = append(files, f)
		}
		if err != nil {
			return head, nil, 0, invalid("journal line %d: %v", n+1, err)
		}
		end += int64(len(line)) + 1
		text = rest
	}
}

// append adds a line and makes it durable.
func (j *journal) append(value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	line := fmt.Appendf(nil, "%x %s\n", sum, text)
	if err := j.disk.write(j.file, line, j.end); err != nil {
		return err
	}
	j.end += int64(len(line))
	return j.disk.sync(j.file)
}

// add records a file that is complete and durable.
func (j *journal) add(f journalFile) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.append(f); err != nil {
		return err
	}
	j.done[f.Name] = f
	return nil
}

// remove ends the journal's life, before its directory is published.
func (j *journal) remove() error {
	if err := closing(j.file, nil); err != nil {
		return err
	}
	return j.disk.remove(j.file.Name())
}
