package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// This is the one file of the package that starts programs: sbatch and squeue of the user's PATH, with no shell between.

// Exec is the [Runner] that starts programs. A cancelled context kills the program.
func Exec(ctx context.Context, call Call) (string, error) {
	program, err := exec.LookPath(call.Program)
	if err != nil {
		return "", fmt.Errorf("%s: %w", call.Program, ErrMissing)
	}
	cmd := exec.CommandContext(ctx, program, call.Args...)
	cmd.Env = append(os.Environ(), call.Env...)
	cmd.Stdin = bytes.NewReader(call.Stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	if err == nil {
		return stdout.String(), nil
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("%s: %w", call.Program, ctx.Err())
	}
	said := clip(strings.ReplaceAll(stderr.String(), call.Program+": error: ", ""))
	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) && said != "" {
		return "", fmt.Errorf("%s: %s", call.Program, said)
	}
	return "", fmt.Errorf("%s: %w", call.Program, err)
}
