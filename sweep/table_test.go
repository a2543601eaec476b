package sweep

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"syncretic/sweep/search"
)

// TestTable: every trial is a row, whatever became of it, and what it does not have is empty.
func TestTable(t *testing.T) {
	setup := Setup{Rule: Rule{Metric: ROCAUC, Rho: 0.98}, Space: Space{Mode: PerCulture, Vectors: []string{"lyra", "makam"}, Values: []float64{0, 1},
		Methods: []Method{{Name: "task_arithmetic"}, {Name: "ties", Search: search.Space{{Name: "density", Low: 0.5, High: 1}}}}}}
	refs := References{Base: scores(0.6, 0.7, 30)}
	full, part := scores(0.65, 0.71, 29), scores(math.NaN(), 0.5, 31)
	started := time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.FixedZone("here", 3600))
	trials := []Trial{
		{Number: 0, State: search.Complete, Choice: Choice{Method: "ties"}, Point: search.Point{"method": 1, "lambda.lyra": 0.5, "lambda.makam": 0, "ties.density": 0.75},
			Scores: &full, Part: 1, Seconds: map[string]float64{"total": 2.5}, Worker: "here:1, second", Started: started, Finished: started.Add(time.Second), Retries: 1},
		{Number: 1, State: search.Pruned, Choice: Choice{Method: "task_arithmetic"}, Point: search.Point{"method": 0, "lambda.lyra": 1, "lambda.makam": 1}, Scores: &part, Part: 0.25},
		{Number: 2, State: search.Waiting, Choice: Choice{Method: "task_arithmetic"}, Point: search.Point{"method": 0, "lambda.lyra": 0, "lambda.makam": 1}},
	}
	columns := Table(setup, trials, refs)
	var text bytes.Buffer
	if err := WriteCSV(&text, columns); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&text).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		strings.Split("number,state,method,lambda.lyra,lambda.makam,ties.density,value,western,violation,part,seconds,worker,started,finished,retries,"+
			"makam.roc_auc,makam.average_precision,makam.f1,western.roc_auc,western.average_precision,western.f1,makam.masked_loss,western.masked_loss", ","),
		{"0", "COMPLETE", "ties", "0.5", "0", "0.75", "0.65", "0.71", violation(0.71), "1", "2.5", "here:1, second", "2026-01-02T02:04:05.006Z", "2026-01-02T02:04:06.006Z", "1",
			"0.65", "0.325", "0.1625", "0.71", "0.355", "0.1775", "29", "31"},
		{"1", "PRUNED", "task_arithmetic", "1", "1", "", "", "0.5", violation(0.5), "0.25", "0", "", "", "", "0", "", "", "", "0.5", "0.25", "0.125", "31", "31"},
		{"2", "WAITING", "task_arithmetic", "0", "1", "", "", "", "", "0", "0", "", "", "", "0", "", "", "", "", "", "", "", ""},
	}
	for i := range want {
		if !slices.Equal(rows[i], want[i]) {
			t.Errorf("row %d\n got %q\nwant %q", i, rows[i], want[i])
		}
	}
	if len(rows) != len(want) {
		t.Errorf("%d rows, want %d", len(rows), len(want))
	}
	if empty := Table(setup, nil, refs); len(empty) != len(columns) {
		t.Errorf("a study without trials has %d columns, want %d", len(empty), len(columns))
	}

	text.Reset()
	if err := WriteJSONLines(&text, []Trial{trials[2], trials[0], trials[1]}); err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(&text)
	for i := range trials {
		var back Trial
		if err := d.Decode(&back); err != nil || back.Number != i || back.State != trials[i].State || (back.Scores == nil) != (trials[i].Scores == nil) {
			t.Errorf("line %d: %+v, %v", i, back, err)
		}
	}
	seen := SearchTrials(setup, trials, refs)
	if len(seen[0].Constraints) != 1 || seen[0].Constraints[0] >= 0 || seen[1].Constraints[0] <= 0 || seen[2].Constraints != nil {
		t.Errorf("constraints %v, %v, %v: want one kept, one broken, one unknown", seen[0].Constraints, seen[1].Constraints, seen[2].Constraints)
	}
}

// violation is by how much a Western mean misses 0.98 of the base's 0.7, as the table spells it.
func violation(western float64) string {
	rho, base := 0.98, 0.7
	return strconv.FormatFloat(rho*base-western, 'g', -1, 64)
}
