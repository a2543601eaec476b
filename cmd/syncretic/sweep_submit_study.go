package main

import (
	"context"
	"errors"
	"net/url"
	"os"
	"strings"
	"time"

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

// createStudy makes the study of a configuration, or opens it, with everything that it names checked.
func createStudy(ctx context.Context, a *app, config string) (studyAddress, error) {
	s, err := openStudy(ctx, a, config)
	if err != nil {
		return studyAddress{}, err
	}
	defer s.close()
	return addressOf(s.cfg)
}

// studyProgress counts a study's finished trials; the study is finished once its winner is tested.
func studyProgress(ctx context.Context, a *app, at studyAddress) (done, total int, finished bool, err error) {
	study, err := sweep.Load(ctx, at.where, at.name, storeOptions(a)...)
	if err != nil {
		return 0, 0, false, err
	}
	defer study.Close()
	st, err := study.Status(ctx, time.Now())
	return st.Done, st.Total, st.Test != nil && st.Test.Scores != nil, err
}

func addressOf(cfg sweep.Config) (at studyAddress, err error) {
	at.where, at.name = cfg.Study, cfg.Name
	if cfg.Name != sweep.DefaultName {
		at.args = []string{"--name", cfg.Name}
	}
	at.where, err = absoluteStudy(at.where)
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
