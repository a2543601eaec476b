package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// defaultRevision is what Hugging Face tools fetch when nobody names a revision.
const defaultRevision = "main"

// ResolveHub finds the snapshot of a model, named as on the Hugging Face hub ("org/name", or "name" alone), that an earlier
// download left in a cache of this machine. revision is a branch, tag or full commit hash; "" means main. Nothing is fetched.
//
// It looks where Hugging Face tools keep their cache: $HF_HUB_CACHE, $HF_HOME/hub, $XDG_CACHE_HOME/huggingface/hub, and
// ~/.cache/huggingface/hub, in this order. Where none has the model, the error wraps fs.ErrNotExist, names the directories and
// the command that would fetch it. A name or revision that no hub can have is an error that wraps [ErrInvalid].
func ResolveHub(name, revision string) (dir string, err error) {
	return resolveHub(os.Getenv, name, revision)
}

// hubName is what the hub accepts, at most one owner and one name.
var hubName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)?$`)

// HubName tells whether a path could name a model of the hub.
func HubName(name string) bool {
	return len(name) <= 96 && hubName.MatchString(name) && !strings.Contains(name, "--") && !strings.Contains(name, "..")
}

func resolveHub(getenv func(string) string, name, revision string) (string, error) {
	if !HubName(name) {
		return "", invalid("%s: want the name of a model as on the Hugging Face hub, such as org/name", quoted(name))
	}
	command := "hf download " + name
	if revision == "" {
		revision = defaultRevision
	} else {
		command += " --revision " + revision
	}
	if !filepath.IsLocal(revision) || strings.ContainsAny(revision, "\\:\x00") {
		return "", invalid("%s: revision %s: want a branch, a tag or a commit", name, quoted(revision))
	}
	var looked []string
	for _, cache := range hubCaches(getenv) {
		repo := filepath.Join(cache, "models--"+strings.ReplaceAll(name, "/", "--"))
		dir, err := snapshot(repo, revision)
		if !errors.Is(err, fs.ErrNotExist) {
			return dir, err
		}
		looked = append(looked, cache)
	}
	at := "no cache of the Hugging Face hub is known here: neither HF_HUB_CACHE, HF_HOME nor HOME is set"
	if len(looked) > 0 {
		at = "revision " + revision + " is not in the Hugging Face cache, looked for in " + strings.Join(looked, " and ")
	}
	return "", fmt.Errorf("%s: %s; `%s` fetches it: %w", name, at, command, fs.ErrNotExist)
}

// hubCaches lists the directories that may hold a cache, the likeliest first.
func hubCaches(getenv func(string) string) (caches []string) {
	home := getenv("HOME")
	if home == "" {
		home = getenv("USERPROFILE")
	}
	add := func(base string, below ...string) {
		if rest, ok := strings.CutPrefix(base, "~"); ok && home != "" && (rest == "" || os.IsPathSeparator(rest[0])) {
			base = home + rest
		}
		if base == "" {
			return
		}
		if path := filepath.Join(append([]string{base}, below...)...); !slices.Contains(caches, path) {
			caches = append(caches, path)
		}
	}
	add(getenv("HF_HUB_CACHE"))
	add(getenv("HUGGINGFACE_HUB_CACHE")) // its name until 2023
	add(getenv("HF_HOME"), "hub")
	add(getenv("XDG_CACHE_HOME"), "huggingface", "hub")
	add(home, ".cache", "huggingface", "hub")
	return caches
}

// snapshot is the directory of one revision: refs/REVISION has the name of a directory below snapshots, unless the revision is
// that name itself. The error wraps fs.ErrNotExist where the cache has neither.
func snapshot(repo, revision string) (string, error) {
	commit, err := readRef(filepath.Join(repo, "refs", revision))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotRef) {
		commit = revision
	} else if err != nil {
		return "", err
	}
	if !plainName(commit) {
		return "", fmt.Errorf("%s: no snapshot %s: %w", repo, quoted(commit), fs.ErrNotExist)
	}
	dir := filepath.Join(repo, "snapshots", commit)
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return "", err
	case !info.IsDir():
		return "", invalid("%s: not a directory", dir)
	}
	return dir, nil
}

// errNotRef means that a folder of refs, such as refs/pr, has the name of a revision.
var errNotRef = errors.New("not a ref")

// readRef reads one line of a few bytes.
func readRef(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", errors.Join(err, errNotRef)
	}
	text, err := io.ReadAll(io.LimitReader(f, 256))
	return strings.TrimSpace(string(text)), err
}
