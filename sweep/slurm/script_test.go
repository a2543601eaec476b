package slurm

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// plainJob has what every job needs.
func plainJob() Job {
	return Job{Workers: 8, Folder: "/home/me/sweep", Logs: "/home/me/sweep/logs", Command: []string{"syncretic", "sweep", "work", "study.db"}}
}

// TestScriptGolden: the scripts were read by a person and run on Slurm 22.05 by .ci/slurm.
func TestScriptGolden(t *testing.T) {
	full := plainJob()
	full.Name, full.Partition, full.Account, full.QOS, full.Constraint = "makam sweep", "cpu", "music", "low", "avx512&fast"
	full.Time, full.Memory, full.CPUs, full.Throttle, full.Requeue = "12:00:00", "8G", 4, 3, true
	full.Folder, full.Logs = "/data/o'neil's \"best\" $runs", "/data/100%/logs #1"
	full.Extra, full.Secrets = []string{"--exclusive", `--comment="two words"`}, []string{"PGPASSWORD"}
	full.Command = []string{"/opt/it's here/syncretic", "sweep", "work", "postgres://me@db/study?a=$b"}
	for name, job := range map[string]Job{"plain": plainJob(), "full": full} {
		t.Run(name, func(t *testing.T) {
			got, err := Script(job)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile("testdata/" + name + ".sbatch")
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestScriptOptions(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Job)
		has    string
	}{
		{"one worker", func(j *Job) { j.Workers = 1 }, "#SBATCH --array=0-0\n"},
		{"throttled", func(j *Job) { j.Throttle = 2 }, "#SBATCH --array=0-7%2\n"},
		{"not again", func(*Job) {}, "#SBATCH --no-requeue\n"},
		{"again", func(j *Job) { j.Requeue = true }, "#SBATCH --requeue\n#SBATCH --signal=B:USR1@60\n"},
		{"name", func(j *Job) { j.Name = `a"b c` }, `#SBATCH --job-name="a\"b c"` + "\n"},
		{"default name", func(*Job) {}, "#SBATCH --job-name=syncretic\n"},
		{"backslash", func(j *Job) { j.Folder = `/a\b` }, `#SBATCH --chdir="/a\\b"` + "\n"},
		{"comment mark", func(j *Job) { j.Folder = "/a #b" }, `#SBATCH --chdir="/a #b"` + "\n"},
		{"percent in a path", func(j *Job) { j.Logs = "/50%j" }, "#SBATCH --output=/50%%j/%x-%A_%a.log\n"},
		{"no limit", func(j *Job) { j.Time, j.Requeue = "UNLIMITED", true }, "#SBATCH --time=UNLIMITED\n"},
		{"secret", func(j *Job) { j.Secrets = []string{"PGPASSWORD"} }, `export PGPASSWORD="${PGPASSWORD:?`},
		{"empty argument", func(j *Job) { j.Command = []string{"a", ""} }, "\na '' &\n"},
		{"quote", func(j *Job) { j.Command = []string{"it's"} }, "\n'it'\\''s' &\n"},
		{"home", func(j *Job) { j.Command = []string{"~/a"} }, "\n'~/a' &\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			job := plainJob()
			c.change(&job)
			got, err := Script(job)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(got), c.has) {
				t.Errorf("no %q in\n%s", c.has, got)
			}
			if _, body, _ := strings.Cut(string(got), "\nset -u\n"); strings.Contains(body, "#SBATCH") {
				t.Error("an option stands after the first command, where sbatch reads none")
			}
		})
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Job)
		says   string
	}{
		{"no workers", func(j *Job) { j.Workers = 0 }, "0 workers"},
		{"negative throttle", func(j *Job) { j.Throttle = -1 }, "throttle -1"},
		{"negative cpus", func(j *Job) { j.CPUs = -1 }, "-1 cpus"},
		{"relative folder", func(j *Job) { j.Folder = "sweep" }, "absolute"},
		{"relative logs", func(j *Job) { j.Logs = "" }, "absolute"},
		{"name with a line break", func(j *Job) { j.Name = "a\nb" }, `name "a\nb"`},
		{"name as a path", func(j *Job) { j.Name = "a/b" }, `name "a/b"`},
		{"name as a pattern", func(j *Job) { j.Name = "%j" }, `name "%j"`},
		{"partition with a line break", func(j *Job) { j.Partition = "a\n#SBATCH --uid=0" }, "partition"},
		{"account with a line break", func(j *Job) { j.Account = "\r" }, "account"},
		{"qos with a null", func(j *Job) { j.QOS = "\x00" }, "qos"},
		{"constraint that is no text", func(j *Job) { j.Constraint = "\xff" }, "constraint"},
		{"folder with a line break", func(j *Job) { j.Folder = "/a\nb" }, "folder"},
		{"logs with a backslash", func(j *Job) { j.Logs = `/a\b` }, "backslash"},
		{"memory in words", func(j *Job) { j.Memory = "8 GB" }, `mem "8 GB": want a number with K, M, G or T`},
		{"negative memory", func(j *Job) { j.Memory = "-1" }, `mem "-1"`},
		{"time in words", func(j *Job) { j.Time = "2h" }, `time "2h": want minutes`},
		{"time too short", func(j *Job) { j.Time, j.Requeue = "2", true }, "more than 2 minutes"},
		{"no command", func(j *Job) { j.Command = nil }, "no command"},
		{"empty command", func(j *Job) { j.Command = []string{""} }, "no command"},
		{"argument of two lines", func(j *Job) { j.Command = []string{"a", "b\nrm"} }, `command: "b\nrm"`},
		{"secret of two words", func(j *Job) { j.Secrets = []string{"A B"} }, "no name of a variable"},
		{"option that is none", func(j *Job) { j.Extra = []string{"exclusive"} }, `option "exclusive"`},
		{"option of two lines", func(j *Job) { j.Extra = []string{"--a\nrm"} }, "option"},
	} {
		t.Run(c.name, func(t *testing.T) {
			job := plainJob()
			c.change(&job)
			script, err := Script(job)
			if !errors.Is(err, ErrJob) || !strings.Contains(err.Error(), c.says) || script != nil {
				t.Errorf("error %v, want ErrJob that says %q", err, c.says)
			}
		})
	}
}

func TestParseTime(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"90": 90 * time.Minute, "1:30": 90 * time.Second, "12:00:00": 12 * time.Hour, "2-0": 48 * time.Hour,
		"1-12:30": 36*time.Hour + 30*time.Minute, "0-00:00:05": 5 * time.Second, "0": 0, "unlimited": 0, "INFINITE": 0,
		"200:00:00": 200 * time.Hour, "00:90:00": 90 * time.Minute,
	} {
		if got, err := ParseTime(s); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "-1", "1h", "1:2:3:4", "1-", "-1:00", "1.5", " 1", "1\n", "99999-0", "999999999", "999999999:999999999:999999999"} {
		if got, err := ParseTime(s); !errors.Is(err, ErrJob) {
			t.Errorf("%q: %v, %v; want ErrJob", s, got, err)
		}
	}
}

// FuzzScript: whatever the words, bash reads back the same, and no text becomes an option or a command of its own.
func FuzzScript(f *testing.F) {
	for _, s := range []string{"a", "", "it's", `"$(rm)"`, "`a`", `\`, "~", "a b", "#", "\n", "é", "\x00", "''", "*"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, name, word string) {
		job := plainJob()
		job.Name, job.Command = name, []string{"worker", word}
		script, err := Script(job)
		if err != nil {
			if !errors.Is(err, ErrJob) {
				t.Fatal(err)
			}
			return
		}
		if !utf8.ValidString(word) || strings.ContainsAny(word+name, "\n\r\x00") {
			t.Fatalf("accepted %q and %q", name, word)
		}
		lines := strings.Split(string(script), "\n")
		if plain, err := Script(plainJob()); err != nil || len(lines) != strings.Count(string(plain), "\n")+1 {
			t.Fatalf("%d lines (%v)", len(lines), err)
		}
		for _, line := range lines {
			if rest, ok := strings.CutPrefix(line, "worker "); ok && unquote(strings.TrimSuffix(rest, " &")) != word {
				t.Fatalf("bash reads %s as %q, want %q", rest, unquote(strings.TrimSuffix(rest, " &")), word)
			}
		}
	})
}

// unquote reads one word as bash does where quotes are single ones and backslashes.
func unquote(s string) string {
	var b strings.Builder
	for quoted := false; s != ""; s = s[1:] {
		switch {
		case s[0] == '\'':
			quoted = !quoted
		case s[0] == '\\' && !quoted:
			s = s[1:]
			b.WriteByte(s[0])
		case !quoted && strings.ContainsRune(" \t\"$`&;|<>()*?[]{}~!#", rune(s[0])):
			return "not quoted: " + s
		default:
			b.WriteByte(s[0])
		}
	}
	return b.String()
}
