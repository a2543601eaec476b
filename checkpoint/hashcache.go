package checkpoint

import (
	"cmp"
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// fileID tells a version of a file from others.
type fileID struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
	Size   int64  `json:"size"`
	MTime  int64  `json:"mtime_ns"` // of the last change of the contents
	CTime  int64  `json:"ctime_ns"` // of the last change at all: unlike the other it cannot be set
}

// changed is the time of the last change.
func (id fileID) changed() time.Time { return time.Unix(0, max(id.MTime, id.CTime)) }

// maxKnown is how many files a cache keeps, those used last: about 1 MB.
const maxKnown = 4096

// knownHash is one file of a cache.
type knownHash struct {
	fileID
	SHA256 string `json:"sha256"`
	Used   int64  `json:"used"` // Unix time in seconds
}

// knownHashes is a cache of files' hashes, safe for concurrent use.
type knownHashes struct {
	mu      sync.Mutex
	files   map[fileID]knownHash
	changed bool
}

// hashCache is the file.
type hashCache struct {
	Schema int         `json:"schema"` // 1
	Files  []knownHash `json:"files"`
}

// loadHashes reads a cache; one that cannot be read is empty.
func loadHashes(path string) *knownHashes {
	k := &knownHashes{files: make(map[fileID]knownHash)}
	if path == "" {
		return k
	}
	text, err := readSmall(path)
	var stored hashCache
	if err != nil || json.Unmarshal(text, &stored) != nil || stored.Schema != 1 {
		return k
	}
	for _, f := range stored.Files {
		k.files[f.fileID] = f
	}
	return k
}

func (k *knownHashes) find(id fileID) (string, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f, ok := k.files[id]
	if ok {
		// To the day, so that a run which finds everything need not write.
		if now := time.Now().Unix(); now-f.Used > 24*60*60 {
			f.Used, k.changed = now, true
			k.files[id] = f
		}
	}
	return f.SHA256, ok
}

func (k *knownHashes) add(id fileID, sum string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.files[id] = knownHash{id, sum, time.Now().Unix()}
	k.changed = true
}

// store writes the cache if it changed.
func (k *knownHashes) store(path string) {
	if path == "" || !k.changed {
		return
	}
	c := hashCache{Schema: 1}
	for _, f := range k.files {
		c.Files = append(c.Files, f)
	}
	slices.SortFunc(c.Files, func(a, b knownHash) int {
		return cmp.Or(cmp.Compare(b.Used, a.Used), cmp.Compare(a.Device, b.Device), cmp.Compare(a.Inode, b.Inode), cmp.Compare(b.CTime, a.CTime))
	})
	c.Files = c.Files[:min(maxKnown, len(c.Files))]
	text, err := json.Marshal(c)
	if err == nil {
		_ = WriteFile(path, append(text, '\n'), true) // only time is lost
	}
}
