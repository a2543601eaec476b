package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"syncretic/sweep"
	"syncretic/sweep/store"
)

// sweeping is a study with what its trials are made of.
type sweeping struct {
	*app
	cfg    sweep.Config
	models *sweepModels
	prober *prober
	study  *sweep.Study
	bar    *progress
}

// openSweep opens everything that a config names. The study is the caller's to open.
func openSweep(ctx context.Context, a *app, cfg sweep.Config) (_ *sweeping, setup sweep.Setup, err error) {
	s := &sweeping{app: a, cfg: cfg, bar: a.progress("sweeping")}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.models, err = openSweepModels(ctx, cfg); err != nil {
		return nil, setup, err
	}
	if s.prober, err = openProber(ctx, a, cfg); err != nil {
		return nil, setup, err
	}
	setup = cfg.Setup()
	setup.Version = version()
	if setup.Folder, err = os.Getwd(); err != nil {
		return nil, setup, err
	}
	setup.Inputs = maps.Clone(s.models.hashes)
	return s, setup, s.hashData(setup.Inputs)
}

// hashData adds the hashes of datasets: of their items, splits and labels, and of manifests as they are; and of what losses are measured
// with.
func (s *sweeping) hashData(inputs map[string]string) error {
	for _, ds := range s.prober.datasets {
		sum := sha256.New()
		for _, item := range ds.Items {
			fmt.Fprintf(sum, "%q %s %q %v %v %v %v\n", item.ID, item.Split, item.Group, item.Start, item.End, item.Limit, item.Labels)
		}
		inputs["dataset "+ds.Name] = hex.EncodeToString(sum.Sum(nil))
	}
	files := map[string]string{}
	for _, d := range s.cfg.Probe.Datasets {
		if d.Manifest != "" {
			files["manifest "+d.Name] = d.Manifest
		}
	}
	if l := s.cfg.MaskedLoss; l != nil {
		files["recipe"] = l.Recipe
		inputs["teacher"], inputs["heads"] = s.prober.loss.evaluation.TeacherHash(), s.prober.loss.heads
		for _, k := range l.Corpora {
			files["corpus "+k.Name] = k.Manifest
		}
	}
	for name, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		inputs[name] = fmt.Sprintf("%x", sha256.Sum256(text))
	}
	return nil
}

func (s *sweeping) close() {
	s.bar.stop()
	if s.study != nil {
		_ = s.study.Close() // what was written is on disk
	}
	if s.models != nil {
		s.models.close()
	}
	if s.prober != nil {
		_ = s.prober.close() // only read
	}
}

// storeOptions have outages of a database told.
func storeOptions(a *app) []store.Option {
	return []store.Option{store.WithNotice(func(err error) { a.logf("%v", err) })}
}

// warnOfNetwork says where SQLite is not to be trusted.
func (a *app) warnOfNetwork(where string) {
	if !strings.Contains(where, "://") && store.OnNetworkFileSystem(filepath.Dir(where)) {
		a.logf("warning: %s is on a network file system, where locks may fail: for workers on several machines take a postgres:// URL", where)
	}
}

// worker is this process as a worker of the study.
func (s *sweeping) worker(o workOptions) sweep.Worker {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	var share func(others int)
	if cores := runtime.GOMAXPROCS(0); s.threads == 0 && os.Getenv("GOMAXPROCS") == "" { // cores that were given are this worker's alone
		share = func(others int) { runtime.GOMAXPROCS(max(1, cores/(others+1))) } // results do not depend on the number of threads
	}
	return sweep.Worker{Models: s.models, Evaluate: s.prober.validate, Trials: o.trials, Stale: o.stale, Retries: o.retries, Host: host,
		Name: fmt.Sprintf("%s:%d", host, os.Getpid()), Hear: s.hear, Share: share}
}

// hear shows how far the study is.
func (s *sweeping) hear(p sweep.Progress) {
	total := p.Total
	switch {
	case len(p.Lost) > 0:
		s.bar.logf("put back trials %v, whose workers were not heard of", p.Lost)
	case p.Taken:
		s.bar.logf("trial %d was given to another worker: this one was not heard of for too long", p.Trial.Number)
	case p.Waiting:
		s.bar.logf("waiting for what other workers have in hand")
	case p.Reference != "":
		if p.Trial.Scores == nil {
			s.bar.set(0, s.study.Setup().Total(), string(p.Reference))
		}
	default:
		note := p.Trial.Choice.Lambdas.String()
		if p.Trial.Choice.Method != sweep.DefaultMethod {
			note = p.Trial.Choice.Method + " " + note
		}
		s.bar.set(p.Done, total, "lambda "+note)
	}
}

// workAndTest works on the study until nothing is left, then makes the one test unless it is made.
func (s *sweeping) workAndTest(ctx context.Context, o workOptions) (*sweep.TestRecord, error) {
	cores := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(cores) // which the worker shares with others
	w := s.worker(o)
	if err := sweep.Run(ctx, s.study, w); err != nil {
		return nil, err
	}
	s.bar.stop()
	if o.trials > 0 {
		return s.study.Tested(ctx)
	}
	return testOnce(sweep.Test(ctx, s.study, w, s.prober.heldOut))
}

// readSweepConfig reads and checks a config.
func readSweepConfig(path string) (sweep.Config, error) {
	doc, err := os.ReadFile(path)
	if err != nil {
		return sweep.Config{}, err
	}
	cfg, err := sweep.ParseConfig(doc)
	if err != nil {
		return sweep.Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return cfg, nil
}

// storedConfig is the config that a study was made with.
func storedConfig(study *sweep.Study) (cfg sweep.Config, err error) {
	text, err := json.Marshal(study.Setup().Config)
	if err != nil {
		return cfg, err
	}
	if err := json.Unmarshal(text, &cfg); err != nil || cfg.Base == "" {
		return cfg, fmt.Errorf("%s: study %q holds no configuration of this program: %w", study.Where(), study.Name(), sweep.ErrInvalid)
	}
	return cfg, nil
}

// seconds prints a duration for people.
func seconds(v float64) string {
	return time.Duration(v * float64(time.Second)).Round(100 * time.Millisecond).String()
}
