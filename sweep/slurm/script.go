package slurm

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Script writes the job as a bash script for sbatch: all of its options, then one worker. It holds no secrets.
//
// A worker is no step of srun: making a step needs slurmctld, so that a task could not begin while that is down, and
// srun would pass on a signal which Slurm sends to the step as well.
//
// When a task is cancelled, pre-empted or queued again, Slurm sends SIGTERM to the batch shell, and 30 s later (KillWait)
// SIGKILL. Whether SIGTERM reaches the shell's children too depends on the cluster: with proctrack/linuxproc and pgid it
// does, with proctrack/cgroup not. So the shell passes it on, and the worker must take a second SIGTERM as the first.
//
// Shortly before the time limit the shell alone gets SIGUSR1 and asks Slurm to queue the task again, which ends it as
// above. It is not SIGTERM, because a task that was cancelled must not come back. It names the task as JOB_TASK: the
// plain id of an array's last task is the id of the whole array.
//
// The script's exit code is the worker's: 0 when no work is left.
func Script(j Job) ([]byte, error) {
	if err := j.Check(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("#!/bin/bash\n")
	b.WriteString("# Identical workers of one sweep: each claims trials from the study until none is left. The study is the queue,\n")
	b.WriteString("# so any of them may end, be queued again or be joined by others at any time.\n")
	for _, o := range j.options() {
		fmt.Fprintf(&b, "#SBATCH %s\n", o)
	}
	b.WriteString("set -u\n\n")
	for _, name := range j.Secrets {
		fmt.Fprintf(&b, "export %[1]s=\"${%[1]s:?comes with the environment of sbatch; was it submitted with --export=NONE?}\"\n", name)
	}
	b.WriteString("export GOMAXPROCS=\"${SLURM_CPUS_PER_TASK:-1}\" # the cores that were asked for, not all that the machine has\n")
	b.WriteString(prologue)
	if j.Requeue {
		b.WriteString(requeue)
	}
	fmt.Fprintf(&b, "\n%s &\n", quoteAll(j.Command))
	b.WriteString(epilogue)
	return b.Bytes(), nil
}

const prologue = `task="${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
echo "$(date '+%F %T') worker $task on $(uname -n), start $((${SLURM_RESTART_COUNT:-0} + 1))"

# SIGTERM (cancelled, pre-empted, queued again) is passed on: the worker gives its trial back and ends with 130.
worker= stopped= again=
stop() { stopped=yes again=yes; [ -z "$worker" ] || kill -TERM "$worker" 2>/dev/null; }
trap stop TERM
`

const requeue = `
# SIGUSR1 (the time limit is near): Slurm is asked to queue the task again, and ends it by SIGTERM.
trap 'again=yes; scontrol requeue "$task"' USR1
`

const epilogue = `worker=$!
[ -z "$stopped" ] || stop # it came before there was a worker

while # a signal ends wait, not the worker
  again=
  wait "$worker"
  code=$?
  [ -n "$again" ]
do :; done
echo "$(date '+%F %T') worker $task ended with $code"
exit "$code"
`

// options are sbatch's, in the order in which a person would look for them.
func (j Job) options() []string {
	array := fmt.Sprintf("0-%d", j.Workers-1)
	if j.Throttle > 0 {
		array += "%" + strconv.Itoa(j.Throttle)
	}
	cpus := ""
	if j.CPUs > 0 {
		cpus = strconv.Itoa(j.CPUs)
	}
	var options []string
	for _, o := range []struct{ name, value string }{
		{"job-name", j.name()}, {"array", array}, {"ntasks", "1"}, {"cpus-per-task", cpus}, {"mem", j.Memory}, {"time", j.Time},
		{"partition", j.Partition}, {"account", j.Account}, {"qos", j.QOS}, {"constraint", j.Constraint},
		{"chdir", j.Folder}, {"output", strings.ReplaceAll(j.Logs, "%", "%%") + "/%x-%A_%a.log"},
	} {
		if o.value != "" {
			options = append(options, "--"+o.name+"="+quoteOption(o.value))
		}
	}
	options = append(options, "--open-mode=append") // a worker that starts again goes on in its log
	if j.Requeue {
		options = append(options, "--requeue", fmt.Sprintf("--signal=B:USR1@%d", int(Early.Seconds())))
	} else {
		options = append(options, "--no-requeue")
	}
	return append(options, j.Extra...)
}

// plain are the characters that mean nothing to bash and to sbatch, beside letters and digits.
const plain = "-_./:=@%+,"

// needsQuotes reports whether s has other characters, or none.
func needsQuotes(s string) bool {
	return s == "" || strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune(plain, r))
	})
}

// Quote is s as one word of bash.
func Quote(s string) string {
	if !needsQuotes(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func quoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Quote(w)
	}
	return strings.Join(quoted, " ")
}

// quoteOption is s as sbatch reads it in an #SBATCH line: within double quotes a backslash keeps the next character.
func quoteOption(s string) string {
	if !needsQuotes(s) {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
