package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"
	"github.com/spf13/cobra"

	"syncretic/adapt/op"
)

// operatorTime is what one operator of the encoder took, in seconds of all cores together.
type operatorTime struct {
	Operator string  `json:"operator"`
	Forward  float64 `json:"forward_s"`
	Backward float64 `json:"backward_s"`
	Share    float64 `json:"share"` // of all processor time
}

// profileReport is the result of --profile.
type profileReport struct {
	Wall      float64        `json:"wall_s"`
	CPU       float64        `json:"cpu_s"`
	Threads   int            `json:"threads"`
	Operators []operatorTime `json:"operators"`
}

// profiler samples where processor time goes while a verb runs. Without --profile it does nothing.
type profiler struct {
	samples bytes.Buffer
	began   time.Time
}

func profileFlag(cmd *cobra.Command, on *bool) {
	cmd.Flags().BoolVar(on, "profile", false, "print what each operator of the encoder took, from a hundred samples of every core a second")
}

// startProfile begins to sample if on.
func startProfile(on bool) (*profiler, error) {
	if !on {
		return nil, nil
	}
	p := &profiler{began: time.Now()}
	return p, pprof.StartCPUProfile(&p.samples)
}

// abandon ends the sampling of a verb that failed; after stop it does nothing.
func (p *profiler) abandon() {
	if p != nil {
		pprof.StopCPUProfile()
	}
}

// stop ends the sampling and sums it up; nil without --profile.
func (p *profiler) stop() (*profileReport, error) {
	if p == nil {
		return nil, nil
	}
	wall := time.Since(p.began)
	pprof.StopCPUProfile()
	samples, err := profile.ParseData(p.samples.Bytes())
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	return summarise(samples, wall), nil
}

// summarise sums samples by the labels that adapt/op sets. What bears none is called "other": decoding, the collector, output.
func summarise(samples *profile.Profile, wall time.Duration) *profileReport {
	const nanoseconds = 1 // the second value of a CPU sample
	sums := map[string]*operatorTime{}
	var total float64
	for _, s := range samples.Sample {
		name, seconds := "other", float64(s.Value[nanoseconds])/1e9
		if l := s.Label[op.ProfileOperator]; len(l) > 0 {
			name = l[0]
		}
		if sums[name] == nil {
			sums[name] = &operatorTime{Operator: name}
		}
		if l := s.Label[op.ProfilePass]; len(l) > 0 && l[0] == "backward" {
			sums[name].Backward += seconds
		} else {
			sums[name].Forward += seconds
		}
		total += seconds
	}
	r := &profileReport{Wall: wall.Seconds(), CPU: total, Threads: runtime.GOMAXPROCS(0), Operators: []operatorTime{}}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		sums[name].Share = (sums[name].Forward + sums[name].Backward) / total
		r.Operators = append(r.Operators, *sums[name])
	}
	slices.SortStableFunc(r.Operators, func(a, b operatorTime) int { return cmp.Compare(b.Share, a.Share) })
	return r
}

// withProfile adds the report to a verb's result.
func withProfile(result map[string]any, r *profileReport) map[string]any {
	if r != nil {
		result["profile"] = r
	}
	return result
}

// table is the report as text.
func (r *profileReport) table() string {
	if r == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-14s %9s %9s %7s\n", "operator", "forward", "backward", "share")
	for _, o := range r.Operators {
		fmt.Fprintf(&b, "%-14s %8.2fs %8.2fs %6.1f%%\n", o.Operator, o.Forward, o.Backward, 100*o.Share)
	}
	fmt.Fprintf(&b, "%.2f s of processor time in %.2f s on %d threads: %.0f%% busy\n", r.CPU, r.Wall, r.Threads, 100*r.CPU/r.Wall/float64(r.Threads))
	return b.String()
}
