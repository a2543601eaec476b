package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"syncretic/sweep/search"
)

// A cache keeps the finished trials of a study, which never change again. The ids of
// a study are given in the order of commits, since whoever adds a trial holds the study's lock.
type cache struct {
	mutex    sync.Mutex
	finished map[int64]*Trial
	user     map[int64]map[string]json.RawMessage // user attributes, of those finished trials that were asked for
	prefix   []int64                              // ids of the finished trials before the first that is not
}

// Trials reads every trial of the study, by number, with all attributes. A finished trial is read once.
func (s *Study) Trials(ctx context.Context) (trials []Trial, err error) {
	err = s.db.read(ctx, func(ctx context.Context, q conn) error {
		if trials, err = s.readTrials(ctx, q, true); err != nil {
			return err
		}
		return s.readUser(ctx, q, trials)
	})
	return trials, err
}

// History reads every trial of the study, by number, without user attributes, which may be large and which samplers do not need.
func (s *Study) History(ctx context.Context) (trials []Trial, err error) {
	err = s.db.read(ctx, func(ctx context.Context, q conn) error {
		trials, err = s.readTrials(ctx, q, true)
		return err
	})
	return trials, err
}

// readTrials reads what is not kept. Keep says that what it reads is committed: finished trials are kept then.
func (s *Study) readTrials(ctx context.Context, q conn, keep bool) ([]Trial, error) {
	c := &s.cache
	c.mutex.Lock()
	known, last := maps.Clone(c.finished), int64(-1)
	if n := len(c.prefix); n > 0 {
		last = c.prefix[n-1]
	}
	c.mutex.Unlock()
	all, fresh := []*Trial{}, map[int64]*Trial{}
	for _, t := range known {
		all = append(all, t)
	}
	err := q.each(ctx, func(rows *sql.Rows) error {
		t := Trial{Trial: search.Trial{Point: search.Point{}}, System: map[string]json.RawMessage{}}
		var started, finished any
		if err := rows.Scan(&t.ID, &t.Number, &t.State, &started, &finished); err != nil || known[t.ID] != nil {
			return err
		}
		var err error
		if t.Started, err = parseStamp(started); err != nil {
			return err
		}
		if t.Finished, err = parseStamp(finished); err != nil {
			return err
		}
		fresh[t.ID] = &t
		all = append(all, &t)
		return nil
	}, "SELECT trial_id, number, state, datetime_start, datetime_complete FROM trials WHERE study_id = ? AND trial_id > ? AND number IS NOT NULL",
		s.id, last)
	if err != nil {
		return nil, err
	}
	if err := readDetails(ctx, q, fresh); err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b *Trial) int { return cmp.Compare(a.ID, b.ID) })
	var spaces search.Space
	for _, t := range all {
		for _, p := range t.Params {
			if _, ok := spaces.Param(p.Name); !ok {
				spaces = append(spaces, p)
			}
		}
	}
	trials := make([]Trial, len(all))
	for i, t := range all {
		if fresh[t.ID] != nil {
			t.settle()
			if fixed, ok := t.System[attrFixed]; ok && len(t.Params) == 0 {
				t.Point = fixedPoint(spaces, fixed)
			}
		}
		trials[i] = *t
	}
	if keep {
		c.keep(all)
	}
	slices.SortStableFunc(trials, func(a, b Trial) int { return cmp.Compare(a.Number, b.Number) })
	return trials, nil
}

// keep adds finished trials of all, given in the order of ids.
func (c *cache) keep(all []*Trial) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.finished == nil {
		c.finished, c.user = map[int64]*Trial{}, map[int64]map[string]json.RawMessage{}
	}
	for _, t := range all {
		if t.State.Finished() {
			c.finished[t.ID] = t
		}
	}
	for _, t := range all[min(len(all), len(c.prefix)):] {
		if !t.State.Finished() {
			break
		}
		c.prefix = append(c.prefix, t.ID)
	}
}

// readUser fills in user attributes.
func (s *Study) readUser(ctx context.Context, q conn, trials []Trial) error {
	c := &s.cache
	c.mutex.Lock()
	found := maps.Clone(c.user)
	c.mutex.Unlock()
	if found == nil {
		found = map[int64]map[string]json.RawMessage{}
	}
	var ids []int64
	for _, t := range trials {
		if found[t.ID] == nil {
			ids = append(ids, t.ID)
			found[t.ID] = map[string]json.RawMessage{}
		}
	}
	if len(ids) > 0 {
		err := readAttributes(ctx, q, "trial_user_attributes", q.ids(ids), func(id int64, key string, value json.RawMessage) {
			found[id][key] = value
		})
		if err != nil {
			return err
		}
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for i := range trials {
		t := &trials[i]
		t.User = found[t.ID]
		if t.State.Finished() && c.user != nil {
			c.user[t.ID] = t.User
		}
	}
	return nil
}
