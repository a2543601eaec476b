package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"
)

func sample(seconds float64, labels map[string][]string) *profile.Sample {
	return &profile.Sample{Value: []int64{1, int64(seconds * 1e9)}, Label: labels}
}

func TestProfileSumsByOperator(t *testing.T) {
	operator := func(name, pass string) map[string][]string {
		return map[string][]string{"operator": {name}, "pass": {pass}}
	}
	r := summarise(&profile.Profile{Sample: []*profile.Sample{
		sample(1, operator("Linear", "forward")), sample(2, operator("Linear", "backward")), sample(2, operator("Linear", "forward")),
		sample(3, nil), sample(2, map[string][]string{"operator": {"AdamW"}}),
	}}, 8*time.Second)
	want := []operatorTime{{"Linear", 3, 2, 0.5}, {"other", 3, 0, 0.3}, {"AdamW", 2, 0, 0.2}}
	if len(r.Operators) != len(want) || r.CPU != 10 || r.Wall != 8 {
		t.Fatalf("%+v, want %+v of 10 s in 8 s", r, want)
	}
	for i := range want {
		if r.Operators[i] != want[i] {
			t.Errorf("row %d is %+v, want %+v", i, r.Operators[i], want[i])
		}
	}
	if text := r.table(); !strings.Contains(text, "Linear             3.00s     2.00s   50.0%") {
		t.Errorf("the table is\n%s", text)
	}
	if empty := summarise(new(profile.Profile), time.Second); len(empty.Operators) != 0 || empty.CPU != 0 {
		t.Errorf("without samples: %+v", empty)
	}
}

func TestProfileFlag(t *testing.T) {
	w := newWorkshop(t)
	w.audioBench()
	got := w.result("embed base long.wav -o f.safetensors --profile")
	p, ok := got["profile"].(map[string]any)
	if !ok || p["threads"].(float64) < 1 || !(p["wall_s"].(float64) > 0) {
		t.Errorf("profile is %v", got["profile"])
	}
	if o := w.syncretic("embed base long.wav -o f.safetensors --profile --force --pool none"); o.code != exitDone || !strings.Contains(o.stdout, "% busy\n") {
		t.Errorf("code %d, output %q, want the table", o.code, o.stdout)
	}
	w.corpus("low")
	w.write("tiny.yml", recipe)
	if got := w.result("adapt tiny.yml out --profile"); got["profile"] == nil {
		t.Error("adapt gives no profile")
	}
	if got := w.result("embed base long.wav -o h.safetensors"); got["profile"] != nil {
		t.Errorf("a profile that nobody asked for: %v", got["profile"])
	}
}
