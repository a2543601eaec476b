package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// Trials reads every trial of the study, by number.
func (s *Study) Trials(ctx context.Context) ([]Trial, error) {
	trials, err := s.readTrials(ctx, s.db.sql)
	if err != nil {
		return nil, classify(s.db.path, err)
	}
	return trials, nil
}

// A querier is a database or a transaction of it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (s *Study) readTrials(ctx context.Context, q querier) ([]Trial, error) {
	var trials []Trial
	index := map[int64]int{}
	err := each(ctx, q, "SELECT trial_id, number, state, datetime_start, datetime_complete FROM trials WHERE study_id = ? ORDER BY number, trial_id",
		s.id, func(rows *sql.Rows) error {
			t := Trial{Value: math.NaN(), Params: map[string]float64{}, User: map[string]json.RawMessage{}, System: map[string]json.RawMessage{}}
			var state string
			var started, finished any
			if err := rows.Scan(&t.ID, &t.Number, &state, &started, &finished); err != nil {
				return err
			}
			t.State = State(state)
			var err error
			if t.Started, err = parseStamp(started); err != nil {
				return err
			}
			if t.Finished, err = parseStamp(finished); err != nil {
				return err
			}
			index[t.ID] = len(trials)
			trials = append(trials, t)
			return nil
		})
	if err != nil {
		return nil, err
	}
	const of = " WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = ?)"
	err = each(ctx, q, "SELECT trial_id, param_name, param_value FROM trial_params"+of, s.id, func(rows *sql.Rows) error {
		var id int64
		var name string
		var value float64
		if err := rows.Scan(&id, &name, &value); err != nil {
			return err
		}
		trials[index[id]].Params[name] = value
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, q, "SELECT trial_id, value, value_type FROM trial_values"+of+" AND objective = 0", s.id, func(rows *sql.Rows) error {
		var id int64
		var value sql.NullFloat64
		var kind string
		if err := rows.Scan(&id, &value, &kind); err != nil {
			return err
		}
		trials[index[id]].Value = decodeValue(value, kind)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, kind := range []string{"user", "system"} {
		err = each(ctx, q, `SELECT trial_id, "key", value_json FROM trial_`+kind+"_attributes"+of, s.id, func(rows *sql.Rows) error {
			var id int64
			var key, value string
			if err := rows.Scan(&id, &key, &value); err != nil {
				return err
			}
			t := &trials[index[id]]
			if kind == "user" {
				t.User[key] = json.RawMessage(value)
			} else {
				t.System[key] = json.RawMessage(value)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return trials, fillFixed(trials)
}

// fillFixed gives trials that were enqueued but never claimed the parameters that wait for them.
func fillFixed(trials []Trial) error {
	for i := range trials {
		t := &trials[i]
		fixed, ok := t.System["fixed_params"]
		if len(t.Params) > 0 || !ok {
			continue
		}
		if err := json.Unmarshal(fixed, &t.Params); err != nil {
			return fmt.Errorf("trial %d: fixed_params: %w", t.Number, err)
		}
	}
	return nil
}

// each runs a query of one argument and hands over every row.
func each(ctx context.Context, q querier, query string, arg any, row func(*sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, query, arg)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// stampLayout is how Optuna (SQLAlchemy on SQLite) spells a time: local, without a zone, microseconds.
const stampLayout = "2006-01-02 15:04:05.000000"

func stamp(t time.Time) string { return t.Local().Format(stampLayout) }

// parseStamp reads a time column. The driver hands DATETIME columns over as time.Time in UTC whatever zone was meant,
// so the wall clock is read from it as local time.
func parseStamp(v any) (time.Time, error) {
	switch v := v.(type) {
	case nil:
		return time.Time{}, nil
	case time.Time:
		return time.Date(v.Year(), v.Month(), v.Day(), v.Hour(), v.Minute(), v.Second(), v.Nanosecond(), time.Local), nil
	case string:
		t, err := time.ParseInLocation("2006-01-02 15:04:05.999999", v, time.Local)
		if err != nil {
			return time.Time{}, fmt.Errorf("time %q: want YYYY-MM-DD HH:MM:SS.ffffff", v)
		}
		return t, nil
	}
	return time.Time{}, fmt.Errorf("time of type %T, want text", v)
}

// encodeValue spells a final value: infinities have a type of their own and no number.
func encodeValue(v float64) (value any, kind string) {
	switch {
	case math.IsInf(v, 1):
		return nil, "INF_POS"
	case math.IsInf(v, -1):
		return nil, "INF_NEG"
	}
	return v, "FINITE"
}

func decodeValue(value sql.NullFloat64, kind string) float64 {
	switch {
	case kind == "INF_POS":
		return math.Inf(1)
	case kind == "INF_NEG":
		return math.Inf(-1)
	case !value.Valid:
		return math.NaN()
	}
	return value.Float64
}

// floatDistribution is a range as Optuna's distribution_json, which must have exactly these keys.
func floatDistribution(r Range) (string, error) {
	type attributes struct {
		Step *float64 `json:"step"`
		Low  float64  `json:"low"`
		High float64  `json:"high"`
		Log  bool     `json:"log"`
	}
	out, err := json.Marshal(struct {
		Name       string     `json:"name"`
		Attributes attributes `json:"attributes"`
	}{"FloatDistribution", attributes{Low: r.Low, High: r.High}})
	return string(out), err
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
