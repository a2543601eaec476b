package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"syncretic/sweep"
)

// locateStudy reads where a configuration keeps its study.
func locateStudy(config string) (studyAddress, error) {
	cfg, err := readSweepConfig(config)
	if err != nil {
		return studyAddress{}, err
	}
	return addressOf(cfg)
}

// createStudy makes the study of a configuration, or opens it.
func createStudy(ctx context.Context, _ *app, config string) (studyAddress, error) {
	cfg, err := readSweepConfig(config)
	if err != nil {
		return studyAddress{}, err
	}
	setup := cfg.Setup()
	setup.Version = version()
	study, err := sweep.Open(ctx, cfg.Study, setup)
	if err != nil {
		return studyAddress{}, err
	}
	defer study.Close()
	return addressOf(cfg)
}

// studyProgress counts the scored points of a study's grid.
func studyProgress(ctx context.Context, at studyAddress) (done, total int, err error) {
	study, err := sweep.Load(ctx, at.where)
	if err != nil {
		return 0, 0, err
	}
	defer study.Close()
	points, err := study.Setup().Space.Points()
	if err != nil {
		return 0, 0, err
	}
	trials, err := study.Trials(ctx)
	for _, t := range trials {
		if t.Done() {
			done++
		}
	}
	return done, len(points), err
}

func readSweepConfig(config string) (sweep.Config, error) {
	doc, err := os.ReadFile(config)
	if err != nil {
		return sweep.Config{}, err
	}
	cfg, err := sweep.ParseConfig(doc)
	if err != nil {
		return sweep.Config{}, fmt.Errorf("%s: %w", config, err)
	}
	return cfg, nil
}

func addressOf(cfg sweep.Config) (at studyAddress, err error) {
	at.where = cfg.Study
	if !isURL(at.where) {
		at.where, err = filepath.Abs(at.where)
	}
	return at, err
}

// isURL tells a database server's URL from a path.
func isURL(where string) bool {
	return strings.HasPrefix(where, "postgres") && strings.Contains(where, "://")
}

// splitPassword takes the secrets out of a study's URL and returns them as variables of libpq, which PostgreSQL's clients
// read where a URL has none: so no script and no list of processes shows them. PGPASSWORD counts also where it is
// set already.
func splitPassword(where string) (public string, env []string, err error) {
	if !isURL(where) {
		return where, nil, nil
	}
	u, err := url.Parse(where)
	if err != nil {
		return "", nil, usageError("study: no URL; want postgres://USER:PASSWORD@HOST/DATABASE, with special characters as %%XX") // err would show it
	}
	secrets := map[string]string{"PGPASSWORD": os.Getenv("PGPASSWORD")}
	if password, ok := u.User.Password(); ok {
		secrets["PGPASSWORD"] = password
		u.User = url.User(u.User.Username())
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", nil, usageError("study: no URL; what stands after ? is not KEY=VALUE&KEY=VALUE")
	}
	for key, variable := range map[string]string{"password": "PGPASSWORD", "sslpassword": "PGSSLPASSWORD"} {
		if query.Has(key) {
			secrets[variable] = query.Get(key)
			query.Del(key)
			u.RawQuery = query.Encode()
		}
	}
	for _, name := range sortedNames(secrets) {
		if secrets[name] != "" {
			env = append(env, name+"="+secrets[name])
		}
	}
	if strings.ContainsRune(strings.Join(env, ""), 0) {
		return "", nil, errors.New("study: a password cannot hold a null character")
	}
	return u.String(), env, nil
}
