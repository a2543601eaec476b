// Package slurm runs identical workers of one study as an array job of Slurm.
//
// It knows job scripts and sbatch; it knows nothing of trials. [Script] writes what `sbatch` reads, [Submit] hands it
// over, [Queued] asks how many of an array's tasks Slurm still knows. Only exec.go starts programs, as a [Runner];
// tests put their own in its place.
//
// The study is the queue, and Slurm only lends machines. A slurmctld that is killed within seconds of a task's start
// forgets that it runs: when it is back it ends the task as an orphan, by SIGKILL without SIGTERM before, and starts it
// again, or keeps it held. With one array task a trial, trials would be lost or done twice. So every task is the
// same worker, claims trials from the study until none is left, and may end or start at any time.
//
// Source: the manual pages of sbatch, scontrol and squeue of Slurm 22.05; what its signals reach was tried, and is
// said where it matters in [Script].
package slurm

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ErrJob marks a Job that Slurm would refuse, or would run otherwise than it says.
var ErrJob = errors.New("invalid Slurm job")

// Job is an array of identical workers. What is empty or 0 is left to the cluster's defaults, but for Workers.
type Job struct {
	Name       string // as squeue shows it, default "syncretic"
	Partition  string
	Account    string
	QOS        string
	Constraint string // features of a node, such as "avx512&fast"
	Time       string // limit of each worker in Slurm's notation: minutes, hours:minutes:seconds, days-hours ...
	Memory     string // of each worker: a number with K, M, G or T; without a unit it is MiB
	CPUs       int    // of each worker, which are also its threads

	Workers  int // size of the array, at least 1
	Throttle int // at most so many at once

	Requeue bool     // start a worker again that was pre-empted, lost its node, or reached its time limit
	Folder  string   // absolute: where the workers run
	Logs    string   // absolute: an existing folder for NAME-JOB_TASK.log
	Extra   []string // more options of sbatch, each one line such as "--exclusive", quoted as in a script
	Secrets []string // variables that must come with sbatch's environment, because they may not stand in a script
	Command []string // the worker and its arguments
}

// Early is how long before its time limit a worker with Requeue is put back into Slurm's queue. It needs 5 s at most to
// give its trial back; Slurm may give the signal a minute earlier.
const Early = time.Minute

// name is the job's name with its default.
func (j Job) name() string {
	if j.Name == "" {
		return "syncretic"
	}
	return j.Name
}

var (
	memory   = regexp.MustCompile(`^[0-9]{1,15}[KMGTkmgt]?$`)
	variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// Check reports the first thing that is wrong; every error wraps [ErrJob]. What depends on the cluster, such as its
// partitions and its largest array, is sbatch's to check.
func (j Job) Check() error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrJob}, args...)...)
	}
	for _, v := range []struct{ name, value string }{{"name", j.Name}, {"partition", j.Partition}, {"account", j.Account},
		{"qos", j.QOS}, {"constraint", j.Constraint}, {"folder", j.Folder}, {"logs", j.Logs}} {
		if !printable(v.value) {
			return fail("%s %q: want a text of one line", v.name, v.value)
		}
	}
	switch {
	case j.Workers < 1:
		return fail("%d workers, want at least 1", j.Workers)
	case j.Throttle < 0:
		return fail("throttle %d, want 1 or more, or 0 for none", j.Throttle)
	case j.CPUs < 0:
		return fail("%d cpus, want at least 1", j.CPUs)
	case !strings.HasPrefix(j.Folder, "/") || !strings.HasPrefix(j.Logs, "/"):
		return fail("folders %q and %q: want absolute paths", j.Folder, j.Logs)
	case strings.ContainsAny(j.Name, `/\%`):
		return fail(`name %q: want none of / \ %%`, j.Name) // it becomes part of the log's name
	case strings.Contains(j.Logs, `\`):
		return fail("logs %q: Slurm takes no backslash in the path of a log", j.Logs)
	case j.Memory != "" && !memory.MatchString(j.Memory):
		return fail("mem %q: want a number with K, M, G or T, such as 8G", j.Memory)
	case len(j.Command) == 0 || j.Command[0] == "":
		return fail("no command")
	}
	for _, word := range j.Command {
		if !printable(word) {
			return fail("command: %q: want words of one line", word)
		}
	}
	for _, name := range j.Secrets {
		if !variable.MatchString(name) {
			return fail("%q is no name of a variable", name)
		}
	}
	for _, option := range j.Extra {
		if !printable(option) || !strings.HasPrefix(option, "-") {
			return fail("option %q of sbatch: want one such as --exclusive", option)
		}
	}
	if j.Time == "" {
		return nil
	}
	limit, err := ParseTime(j.Time)
	if err != nil {
		return err
	}
	if least := Early + time.Minute; j.Requeue && limit != 0 && limit <= least {
		return fail("time %q: want more than %d minutes, because a worker stops up to that early to be queued again", j.Time, least/time.Minute)
	}
	return nil
}

// printable reports whether s can stand in a line of a script: no control character, no broken UTF-8.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' })
}

// limits are Slurm's notations of a time, with the unit of each number.
var limits = []struct {
	form  *regexp.Regexp
	units []time.Duration
}{
	{regexp.MustCompile(`^(\d{1,9})$`), []time.Duration{time.Minute}},
	{regexp.MustCompile(`^(\d{1,9}):(\d{1,9})$`), []time.Duration{time.Minute, time.Second}},
	{regexp.MustCompile(`^(\d{1,9}):(\d{1,9}):(\d{1,9})$`), []time.Duration{time.Hour, time.Minute, time.Second}},
	{regexp.MustCompile(`^(\d{1,5})-(\d{1,9})$`), []time.Duration{day, time.Hour}},
	{regexp.MustCompile(`^(\d{1,5})-(\d{1,9}):(\d{1,9})$`), []time.Duration{day, time.Hour, time.Minute}},
	{regexp.MustCompile(`^(\d{1,5})-(\d{1,9}):(\d{1,9}):(\d{1,9})$`), []time.Duration{day, time.Hour, time.Minute, time.Second}},
}

const day = 24 * time.Hour

// longest is the largest limit that ParseTime takes. Slurm has 32 bits for minutes, and no worker needs ten years.
const longest = 3650 * day

// ParseTime reads a time limit in Slurm's notation: minutes, minutes:seconds, hours:minutes:seconds, days-hours,
// days-hours:minutes, days-hours:minutes:seconds; 0, UNLIMITED and INFINITE are no limit and give 0.
func ParseTime(s string) (time.Duration, error) {
	if up := strings.ToUpper(s); up == "UNLIMITED" || up == "INFINITE" {
		return 0, nil
	}
	for _, l := range limits {
		m := l.form.FindStringSubmatch(s)
		if m == nil {
			continue
		}
		var sum time.Duration
		for i, unit := range l.units {
			n, err := strconv.ParseInt(m[i+1], 10, 64)
			if err != nil || n > int64(longest/unit) {
				return 0, fmt.Errorf("%w: time %q: want at most %d days", ErrJob, s, longest/day)
			}
			sum += time.Duration(n) * unit
		}
		if sum > longest {
			return 0, fmt.Errorf("%w: time %q: want at most %d days", ErrJob, s, longest/day)
		}
		return sum, nil
	}
	return 0, fmt.Errorf("%w: time %q: want minutes, hours:minutes:seconds or days-hours:minutes:seconds, such as 90, 12:00:00, 2-00:00:00", ErrJob, s)
}
