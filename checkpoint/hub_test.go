package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const hubCommit = "0123456789abcdef0123456789abcdef01234567"

// fakeCache makes a Hugging Face cache below dir with one model: a branch, a pull request's ref, and a snapshot with weights.
func fakeCache(t *testing.T, dir, repo string) string {
	t.Helper()
	put := func(text string, parts ...string) string {
		path := filepath.Join(append([]string{dir, repo}, parts...)...)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	blob := put(file(one(`"dtype":"U8","shape":[2],"data_offsets":[0,2]`), 2), "blobs", "abc")
	put(hubCommit, "refs", "main")
	put(hubCommit+"\n", "refs", "refs", "pr", "1")
	put("../../outside", "refs", "escape")
	put("", "refs", "empty")
	put(strings.Repeat("0", 40), "refs", "gone")
	put("{}", "snapshots", hubCommit, "config.json")
	put("a file", "snapshots", "flat")
	if err := os.Symlink(blob, filepath.Join(dir, repo, "snapshots", hubCommit, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, repo, "snapshots", hubCommit)
}

func environment(pairs map[string]string) func(string) string {
	return func(key string) string { return pairs[key] }
}

func TestResolveHubFindsSnapshots(t *testing.T) {
	root := t.TempDir()
	at := func(parts ...string) string { return filepath.Join(append([]string{root}, parts...)...) }
	hub := fakeCache(t, at("hub"), "models--org--name")
	homely := fakeCache(t, at("me", ".cache", "huggingface", "hub"), "models--gpt2")
	second := fakeCache(t, at("hf", "hub"), "models--org--name")
	xdg := fakeCache(t, at("xdg", "huggingface", "hub"), "models--a--b.c-d_e")
	all := map[string]string{"HF_HUB_CACHE": at("hub"), "HF_HOME": at("hf"), "HOME": at("me"), "XDG_CACHE_HOME": at("xdg")}
	for _, c := range []struct {
		name, model, revision string
		env                   map[string]string
		want                  string
	}{
		{"main", "org/name", "", all, hub},
		{"main by name", "org/name", "main", all, hub},
		{"by commit", "org/name", hubCommit, all, hub},
		{"a pull request", "org/name", "refs/pr/1", all, hub},
		{"no owner", "gpt2", "", all, homely},
		{"other signs", "a/b.c-d_e", "", all, xdg},
		{"HF_HOME", "org/name", "", map[string]string{"HF_HOME": at("hf")}, second},
		{"old variable", "org/name", "", map[string]string{"HUGGINGFACE_HUB_CACHE": at("hub")}, hub},
		{"home", "org/name", "", map[string]string{"HF_HOME": "~/../hf", "HOME": at("me")}, second},
		{"home of Windows", "gpt2", "", map[string]string{"USERPROFILE": at("me")}, homely},
		{"the first that has it", "org/name", "", map[string]string{"HF_HUB_CACHE": at("nowhere"), "HF_HOME": at("hf")}, second},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, err := resolveHub(environment(c.env), c.model, c.revision)
			if err != nil || dir != c.want {
				t.Fatalf("%q, %v; want %q", dir, err, c.want)
			}
			m := open(t, dir)
			if side, err := m.SideFile("config.json"); err != nil || string(side) != "{}" || len(m.Tensors()) != 1 {
				t.Errorf("%d tensors, config.json %q, %v", len(m.Tensors()), side, err)
			}
		})
	}
}

func TestResolveHubErrors(t *testing.T) {
	root := t.TempDir()
	fakeCache(t, filepath.Join(root, "hub"), "models--org--name")
	env := map[string]string{"HF_HUB_CACHE": filepath.Join(root, "hub"), "HOME": filepath.Join(root, "me")}
	looked := filepath.Join(root, "hub") + " and " + filepath.Join(root, "me", ".cache", "huggingface", "hub")
	for _, c := range []struct {
		name, model, revision string
		env                   map[string]string
		want                  error
		says                  string
	}{
		{"not there", "org/other", "", env, fs.ErrNotExist, "org/other: revision main is not in the Hugging Face cache, looked for in " + looked + "; `hf download org/other` fetches it"},
		{"revision not there", "org/name", "v2", env, fs.ErrNotExist, "`hf download org/name --revision v2`"},
		{"snapshot not there", "org/name", "gone", env, fs.ErrNotExist, "revision gone is not in"},
		{"a folder of refs", "org/name", "refs", env, fs.ErrNotExist, "revision refs is not in"},
		{"a ref that leads out", "org/name", "escape", env, fs.ErrNotExist, "revision escape is not in"},
		{"an empty ref", "org/name", "empty", env, fs.ErrNotExist, "revision empty is not in"},
		{"no environment", "org/name", "", nil, fs.ErrNotExist, "neither HF_HUB_CACHE, HF_HOME nor HOME is set; `hf download org/name`"},
		{"a file as snapshot", "org/name", "flat", env, ErrInvalid, "not a directory"},
		{"revision leads out", "org/name", "../main", env, ErrInvalid, `revision "../main"`},
		{"absolute revision", "org/name", "/main", env, ErrInvalid, `revision "/main"`},
		{"no name", "", "", env, ErrInvalid, "such as org/name"},
		{"three parts", "a/b/c", "", env, ErrInvalid, "such as org/name"},
		{"parent", "../name", "", env, ErrInvalid, "such as org/name"},
		{"dots", "org/..", "", env, ErrInvalid, "such as org/name"},
		{"two dashes", "org--name", "", env, ErrInvalid, "such as org/name"},
		{"backslash", `org\name`, "", env, ErrInvalid, "such as org/name"},
		{"long", strings.Repeat("a", 97), "", env, ErrInvalid, "such as org/name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, err := resolveHub(environment(c.env), c.model, c.revision)
			if dir != "" || !errors.Is(err, c.want) || !contains(err, c.says) {
				t.Errorf("%q, %v; want %v that says %q", dir, err, c.want, c.says)
			}
		})
	}
}

// The exported function reads the process's environment.
func TestResolveHubReadsTheEnvironment(t *testing.T) {
	root := t.TempDir()
	want := fakeCache(t, root, "models--org--name")
	t.Setenv("HF_HUB_CACHE", root)
	if dir, err := ResolveHub("org/name", ""); err != nil || dir != want {
		t.Errorf("%q, %v; want %q", dir, err, want)
	}
}
