package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"syncretic/sweep/search"
)

// workerJob is the environment variable that makes the test binary a worker of TestWorkersKilled, with its job as JSON.
const workerJob = "SYNCRETIC_TEST_STORE_WORKER"

func TestMain(m *testing.M) {
	if text := os.Getenv(workerJob); text != "" {
		if err := work(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A job is what a worker process does: trials of Points points, each of which takes a random time up to twice Lasts, with heartbeats.
type job struct {
	Where  string
	Points int
	Lasts  time.Duration
	Stale  time.Duration
	Log    string // a line for every trial whose Finish returned
	Seed   uint64
}

func (j job) space() search.Space {
	return search.Space{{Name: "i", High: float64(j.Points - 1), Integer: true}}
}

// propose gives every point once.
func (j job) propose(history []search.Trial) (search.Proposal, error) {
	used := make([]bool, j.Points)
	for _, t := range history {
		used[int(t.Point["i"])] = true
	}
	for i, u := range used {
		if !u {
			return search.Proposal{Point: search.Point{"i": float64(i)}}, nil
		}
	}
	return search.Proposal{Done: true}, nil
}

// work works until every point is done.
func work(text string) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	ctx := context.Background()
	db, err := Open(ctx, j.Where)
	if err != nil {
		return err
	}
	defer db.Close()
	study, err := db.Study(ctx, "s")
	if err != nil {
		return err
	}
	file, err := os.OpenFile(j.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	r := rand.New(rand.NewPCG(j.Seed, 1))
	for {
		turn, err := study.Claim(ctx, ClaimOptions{Space: j.space(), Propose: j.propose, Worker: fmt.Sprint(os.Getpid()), Stale: j.Stale, MaxRetries: -1})
		if err != nil || turn.Done {
			return err
		}
		if turn.Trial == nil {
			time.Sleep(j.Stale / 10)
			continue
		}
		err = j.run(ctx, study, turn.Trial, r)
		if err == nil {
			_, err = fmt.Fprintln(file, turn.Trial.Number)
		}
		if err != nil && !errors.Is(err, ErrNotRunning) { // taken away: this process was too slow
			return err
		}
	}
}

// run evaluates one trial. One in twenty is put back, as on SIGTERM, which is no error of its own: errPutBack is ErrNotRunning.
func (j job) run(ctx context.Context, study *Study, trial *Trial, r *rand.Rand) error {
	end := time.Now().Add(time.Duration(r.Int64N(int64(2 * j.Lasts))))
	for left := time.Until(end); left > 0; left = time.Until(end) {
		time.Sleep(min(left, j.Stale/5))
		if err := study.Heartbeat(ctx, trial.ID); err != nil {
			return err
		}
	}
	if r.IntN(20) == 0 {
		return errors.Join(study.PutBack(ctx, trial.ID, "told to end"), ErrNotRunning)
	}
	return study.Finish(ctx, trial.ID, Outcome{State: search.Complete, Values: []float64{trial.Point["i"]}, User: map[string]any{"scores": "some"}})
}
