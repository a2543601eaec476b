// Command syncretic carries one pipeline from audio to a merged model: it adapts a music encoder to one culture at a time,
// takes task vectors, merges them with scaling coefficients, and chooses those against probe results.
//
// This package is wiring and printing only: one file a verb, each with a constructor, its flags and a run function. What the
// verbs do lives in the rooms checkpoint, arithmetic, adapt, probe and sweep.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() { os.Exit(run(context.Background(), arguments(os.Args), os.Stdout, os.Stderr)) }

// arguments are those of the command line. Under the names mergekit-yaml and mergekit-multi (links to the binary) they are those of
// merge.
func arguments(line []string) []string {
	switch strings.TrimSuffix(filepath.Base(line[0]), ".exe") {
	case "mergekit-yaml", "mergekit-multi":
		return append([]string{"merge"}, line[1:]...)
	}
	return line[1:]
}

// run executes one command line and returns its exit code. The first interrupt or SIGTERM cancels the context, so that verbs stop
// cleanly; a second interrupt ends the process at once. A second SIGTERM does not: it is no impatience, because batch systems and
// launchers send it to a shell and to its children, and have SIGKILL for later.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	again := make(chan os.Signal, 1) // nobody reads it
	signal.Notify(again, syscall.SIGTERM)
	defer signal.Stop(again)

	a := &app{stdout: stdout, stderr: stderr}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	c, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	code := a.classify(ctx, err)
	a.complain(code, c, err)
	return code
}
