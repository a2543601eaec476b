package main

import (
	"os"
	"strings"
	"testing"

	"syncretic/arithmetic/mergekit"
)

// keepHashes has the cache of file hashes in the test's own folder.
func keepHashes(t *testing.T) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
}

func TestMergeWritesALock(t *testing.T) {
	keepHashes(t)
	w := newWorkshop(t)
	w.recipes()
	w.succeed("merge dare.yml merged --seed 3 --lambda 0.5 --digest --quiet")
	lock, err := mergekit.ParseLock([]byte(w.read("merged/merge.lock.json")))
	w.must(err)
	if lock.Recipe != w.read("dare.yml") || lock.Options.Seed != 3 || *lock.Options.Lambda != 0.5 || lock.Donor != "base" {
		t.Errorf("the lock holds %+v", lock)
	}
	if len(lock.Inputs) != 2 || len(lock.Inputs[0].Files) < 2 || len(lock.Inputs[0].Files[0].SHA256) != 64 {
		t.Errorf("inputs %+v", lock.Inputs)
	}
	if len(lock.Output.Tensors) != len(w.weights("merged")) {
		t.Errorf("%d tensors in the lock, %d in the model", len(lock.Output.Tensors), len(w.weights("merged")))
	}
}

func TestMergeFromLockMakesTheSameBytes(t *testing.T) {
	keepHashes(t)
	w := newWorkshop(t)
	w.recipes()
	w.succeed("merge dare.yml merged --seed 3 --lambda 0.5 --out-shard-size 2K --quiet")
	w.must(os.Remove("dare.yml"))
	w.succeed("merge --from-lock merged/merge.lock.json again --quiet")
	list, err := os.ReadDir("merged")
	w.must(err)
	for _, f := range list {
		if w.read("merged/"+f.Name()) != w.read("again/"+f.Name()) {
			t.Errorf("%s differs", f.Name())
		}
	}
	w.succeed("verify again --against merged/merge.lock.json")
	w.must(os.RemoveAll("tuned"))
	w.model("tuned", narrow, 99) // another model under the same name
	w.refuse([]refusal{
		{"an input that changed", "merge --from-lock merged/merge.lock.json third", exitInput, "the model is another one now", ""},
		{"two arguments", "merge --from-lock merged/merge.lock.json a b", exitUsage, "takes the argument OUT", "merge --help"},
		{"not a lock", "merge --from-lock base/config.json third", exitInput, "not a lock file", ""},
	})
}

// By digests, or by making the model again: the verdicts are the same.
func TestVerifyAgainstALock(t *testing.T) {
	for _, flag := range []string{"", " --digest"} {
		t.Run("merge"+flag, func(t *testing.T) { verifyAgainst(t, flag) })
	}
}

func verifyAgainst(t *testing.T, flag string) {
	keepHashes(t)
	w := newWorkshop(t)
	w.recipes()
	w.succeed("merge ta.yml merged --quiet" + flag)
	w.succeed("verify merged --against merged/merge.lock.json")
	w.succeed("merge ties.yml other --quiet")
	o := w.syncretic("verify other --against merged/merge.lock.json")
	if o.code != exitInput || !strings.Contains(o.stdout, "other numbers than were written") {
		t.Errorf("exit code %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	// One flipped bit.
	text := []byte(w.read("merged/model.safetensors"))
	text[len(text)-1] ^= 1
	w.must(os.WriteFile("merged/model.safetensors", text, 0o666))
	if o := w.syncretic("verify merged --against merged/merge.lock.json"); o.code != exitInput {
		t.Errorf("a flipped bit passes: exit code %d\n%s", o.code, o.stdout)
	}
}

func TestMergeWithoutLock(t *testing.T) {
	w := newWorkshop(t)
	w.recipes()
	w.succeed("merge ta.yml merged --no-lock --quiet")
	if _, err := os.Stat("merged/merge.lock.json"); err == nil {
		t.Error("--no-lock writes a lock")
	}
	w.refuse([]refusal{{"resume without hashes", "merge ta.yml out --no-lock --resume", exitUsage, "--resume needs the hashes", ""}})
}

// An interrupted merge with --resume keeps what is finished, says so, and goes on to the same bytes.
func TestMergeResumes(t *testing.T) {
	keepHashes(t)
	w := newWorkshop(t)
	w.recipes()
	w.succeed("merge ties.yml whole --out-shard-size 2K --quiet")
	o := w.within(cancelled(t), "merge ties.yml again --out-shard-size 2K --resume --quiet")
	if o.code != exitInterrupted {
		t.Fatalf("exit code %d\n%s", o.code, o.stderr)
	}
	w.succeed("merge ties.yml again --out-shard-size 2K --resume --quiet")
	list, err := os.ReadDir("whole")
	w.must(err)
	for _, f := range list {
		if w.read("whole/"+f.Name()) != w.read("again/"+f.Name()) {
			t.Errorf("%s differs", f.Name())
		}
	}
	left, err := os.ReadDir(".")
	w.must(err)
	for _, f := range left {
		if strings.HasPrefix(f.Name(), ".") {
			t.Errorf("%s is left behind", f.Name())
		}
	}
}
