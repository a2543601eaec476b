package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"syncretic/sweep/search"
)

// readDetails fills in parameters, values, steps and system attributes of trials.
func readDetails(ctx context.Context, q conn, trials map[int64]*Trial) error {
	if len(trials) == 0 {
		return nil
	}
	ids := make([]int64, 0, len(trials))
	for id := range trials {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	among := q.ids(ids)
	var id int64
	var name, text string
	var value sql.NullFloat64
	err := q.each(ctx, func(rows *sql.Rows) error {
		if err := rows.Scan(&id, &name, &value, &text); err != nil {
			return err
		}
		t := trials[id]
		p, err := decodeDistribution(name, text)
		if err != nil {
			return fmt.Errorf("trial %d: %w", t.Number, err)
		}
		t.Params = append(t.Params, p)
		t.Point[name] = value.Float64
		return nil
	}, "SELECT trial_id, param_name, param_value, distribution_json FROM trial_params WHERE "+q.among+" ORDER BY param_id", among)
	if err != nil {
		return err
	}
	var objective int
	err = q.each(ctx, func(rows *sql.Rows) error {
		if err := rows.Scan(&id, &objective, &value, &text); err != nil {
			return err
		}
		t := trials[id]
		if t.State != search.Complete { // it may have ended since its state was read
			return nil
		}
		if objective != len(t.Values) {
			return fmt.Errorf("trial %d: value of objective %d follows %d others: %w", t.Number, objective, len(t.Values), ErrInvalid)
		}
		t.Values = append(t.Values, decodeValue(value, text))
		return nil
	}, "SELECT trial_id, objective, value, value_type FROM trial_values WHERE "+q.among+" ORDER BY trial_id, objective", among)
	if err != nil {
		return err
	}
	var step int
	err = q.each(ctx, func(rows *sql.Rows) error {
		if err := rows.Scan(&id, &step, &value, &text); err != nil {
			return err
		}
		t := trials[id]
		if t.Steps == nil {
			t.Steps = map[int]float64{}
		}
		t.Steps[step] = decodeValue(value, text)
		return nil
	}, "SELECT trial_id, step, intermediate_value, intermediate_value_type FROM trial_intermediate_values WHERE "+q.among, among)
	if err != nil {
		return err
	}
	return readAttributes(ctx, q, "trial_system_attributes", among, func(id int64, key string, value json.RawMessage) {
		trials[id].System[key] = value
	})
}

// readAttributes hands over the attributes of trials.
func readAttributes(ctx context.Context, q conn, table, among string, take func(id int64, key string, value json.RawMessage)) error {
	return q.each(ctx, func(rows *sql.Rows) error {
		var id int64
		var key string
		var value sql.NullString
		if err := rows.Scan(&id, &key, &value); err != nil {
			return err
		}
		take(id, key, json.RawMessage(value.String))
		return nil
	}, `SELECT trial_id, "key", value_json FROM `+table+" WHERE "+q.among, among)
}

// stampLayout is how Optuna (SQLAlchemy on SQLite) spells a time: without a zone, microseconds.
const stampLayout = "2006-01-02 15:04:05.000000"

// stamp spells when a trial started or ended: in UTC, as Optuna 5 does.
func stamp(t time.Time) string { return t.UTC().Format(stampLayout) }

// parseStamp reads such a time. The drivers hand columns over as time.Time in UTC.
func parseStamp(v any) (time.Time, error) {
	switch v := v.(type) {
	case nil:
		return time.Time{}, nil
	case time.Time:
		return time.Date(v.Year(), v.Month(), v.Day(), v.Hour(), v.Minute(), v.Second(), v.Nanosecond(), time.UTC).Local(), nil
	case string:
		t, err := time.Parse("2006-01-02 15:04:05.999999", v)
		if err != nil {
			return time.Time{}, fmt.Errorf("time %q, want YYYY-MM-DD HH:MM:SS.ffffff: %w", v, ErrInvalid)
		}
		return t.Local(), nil
	}
	return time.Time{}, fmt.Errorf("time of type %T, want text: %w", v, ErrInvalid)
}

// encodeValue spells a value: what is no number has a type of its own. NaN is for intermediate values only.
func encodeValue(v float64) (value any, kind string) {
	switch {
	case math.IsNaN(v):
		return nil, "NAN"
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
