package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"syncretic/sweep/search"
	"syncretic/sweep/store"
)

func TestCorruptAttributesAreErrors(t *testing.T) {
	ctx := context.Background()
	for name, user := range map[string]map[string]any{
		"scores":  {attrScores: "many"},
		"seed":    {attrSeed: -1},
		"seconds": {attrSeconds: "long"},
	} {
		t.Run(name, func(t *testing.T) {
			study := openToy(t, "", toySetup(0, 0.5))
			ask := func([]search.Trial) (search.Proposal, error) {
				return search.Proposal{Point: search.Point{"lambda": 0.5}}, nil
			}
			claimed, err := study.inner.Claim(ctx, store.ClaimOptions{Space: study.setup.Space.Params(), Propose: ask})
			if err != nil {
				t.Fatal(err)
			}
			if err := study.inner.Finish(ctx, claimed.Trial.ID, store.Outcome{State: search.Fail, User: user}); err != nil {
				t.Fatal(err)
			}
			if _, err := study.Trials(ctx); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "trial 0: attribute") {
				t.Errorf("error %v, want ErrInvalid", err)
			}
		})
	}
}

// TestRunFailsForeignTrials: a waiting trial with parameters of another space cannot be scored by this study, and says so.
func TestRunFailsForeignTrials(t *testing.T) {
	ctx := context.Background()
	study := openToy(t, "", toySetup(0, 0.5))
	err := study.inner.Enqueue(ctx, search.Space{{Name: "mu", High: 1}}, func([]store.Trial) ([]store.Entry, error) {
		return []store.Entry{{Point: search.Point{"mu": 1}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, study, hill(t))
	rows, err := study.inner.Trials(ctx)
	if err != nil || len(rows) != 3 || rows[0].State != search.Fail || !strings.Contains(string(rows[0].User[attrError]), "lambda") {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if st, err := study.Status(ctx, time.Now()); err != nil || st.Done != 2 || st.States[search.Fail] != 1 {
		t.Errorf("status %+v, %v: want every row counted", st, err)
	}
}

func TestDifferences(t *testing.T) {
	for _, c := range []struct{ name, stored, wanted, want string }{
		{"equal", `{"a": 1}`, `{"a":1}`, ""},
		{"changed", `{"a": {"b": 1}}`, `{"a": {"b": 2}}`, "; a.b is 2, the study has 1"},
		{"added", `{}`, `{"a": [1]}`, "; a is [1], the study has none"},
		{"removed", `{"a": null}`, `{}`, "; a is none, the study has null"},
		{"four", `{}`, `{"a":1,"b":1,"c":1,"d":1}`,
			"; a is 1, the study has none; b is 1, the study has none; c is 1, the study has none; and more"},
		{"what follows", `{"config": {"rho": 1}, "rule": {"rho": 1}, "seed": 1}`, `{"config": {"rho": 2}, "rule": {"rho": 2}, "seed": 2}`,
			"; rho is 2, the study has 1; seed is 2, the study has 1"},
		{"another change of the same name", `{"config": {"rho": 1}, "rule": {"rho": 1}}`, `{"config": {"rho": 2}, "rule": {"rho": 3}}`,
			"; rho is 2, the study has 1; rule.rho is 3, the study has 1"},
		{"in a list", `{"d": [{"w": true}, {"w": true}]}`, `{"d": [{"w": true}, {"w": false}, {"w": true}]}`,
			"; d[1].w is false, the study has true; d[2].w is true, the study has none"},
		{"hashes", `{"inputs": {"base": "0123456789abcdef"}}`, `{"inputs": {"base": "fedcba9876543210"}}`,
			`; inputs.base is "fedcba987654...", the study has "0123456789ab..."`},
		{"not JSON", `{`, `{"a": 1}`, "; a is 1, the study has none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := differences(json.RawMessage(c.stored), json.RawMessage(c.wanted)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
