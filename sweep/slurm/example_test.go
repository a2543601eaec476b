package slurm_test

import (
	"context"
	"fmt"
	"log"

	"syncretic/sweep/slurm"
)

func Example() {
	script, err := slurm.Script(slurm.Job{
		Name: "makam", Time: "12:00:00", Memory: "8G", CPUs: 4, Workers: 8, Requeue: true,
		Folder: "/scratch/me", Logs: "/scratch/me/logs",
		Command: []string{"syncretic", "sweep", "work", "postgres://me@db/sweeps"},
	})
	if err != nil {
		log.Fatal(err)
	}
	// In earnest the runner is slurm.Exec, and the password comes from somewhere else.
	runner := func(_ context.Context, call slurm.Call) (string, error) {
		fmt.Println(call.Program, call.Args)
		return "4711\n", nil
	}
	id, err := slurm.Submit(context.Background(), runner, script, []string{"PGPASSWORD=secret"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("array", id)
	// Output:
	// sbatch [--parsable]
	// array 4711
}
