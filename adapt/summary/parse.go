package summary

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// number is a figure of a log: null is NaN.
type number float64

func (n *number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = number(math.NaN())
		return nil
	}
	return json.Unmarshal(text, (*float64)(n))
}

// step is a line of train.jsonl.
type step struct {
	Step      int       `json:"step"`
	Steps     int       `json:"steps"`
	Stage     string    `json:"stage"`
	StageStep int       `json:"stage_step"`
	Rate      number    `json:"lr"`
	Loss      number    `json:"loss"`
	CE        []number  `json:"ce"`
	Accuracy  []number  `json:"accuracy"`
	CQT       number    `json:"cqt_mse"`
	Penalty   number    `json:"feature_penalty"`
	GradNorm  number    `json:"grad_norm"`
	Speed     number    `json:"clips_per_s"`
	Time      time.Time `json:"time"`
	Skipped   bool      `json:"skipped"`
	Reason    string    `json:"reason"`
}

// measurement is a line of heldout.jsonl.
type measurement struct {
	Step     int      `json:"step"`
	Corpus   string   `json:"corpus"`
	CE       number   `json:"ce"`
	CQT      number   `json:"cqt_mse"`
	Accuracy []number `json:"accuracy"`
	Clips    int      `json:"clips"`
	Seconds  number   `json:"seconds"`
	Reason   string   `json:"reason"`
}

func parseSteps(log []byte) (steps []step, err error) {
	err = lines(log, func(line []byte) error {
		nan := number(math.NaN())
		s := step{Rate: nan, Loss: nan, CQT: nan, Penalty: nan, GradNorm: nan, Speed: nan}
		if err := json.Unmarshal(line, &s); err != nil {
			return err
		}
		if n := len(steps); s.Step < 1 || s.Steps < s.Step || n > 0 && s.Step <= steps[n-1].Step {
			return fmt.Errorf("step %d of %d: want one after that of the line before", s.Step, s.Steps)
		}
		steps = append(steps, s)
		return nil
	})
	return steps, err
}

func parseHeldout(log []byte) (list []measurement, err error) {
	last := map[string]int{}
	err = lines(log, func(line []byte) error {
		nan := number(math.NaN())
		m := measurement{CE: nan, CQT: nan}
		if err := json.Unmarshal(line, &m); err != nil {
			return err
		}
		if before, ok := last[m.Corpus]; m.Step < 0 || m.Corpus == "" || ok && m.Step <= before {
			return fmt.Errorf("step %d of corpus %q: want one after that of its line before", m.Step, m.Corpus)
		}
		last[m.Corpus] = m.Step
		list = append(list, m)
		return nil
	})
	return list, err
}

// lines calls f for every whole line of a log.
func lines(log []byte, f func(line []byte) error) error {
	n := 0
	for line := range bytes.Lines(log) {
		n++
		if !bytes.HasSuffix(line, []byte("\n")) {
			return nil // still being written
		}
		if err := f(line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return nil
}

// meanOf is the mean of finite numbers, NaN without any.
func meanOf(values []number) float64 {
	sum, n := 0.0, 0
	for _, v := range values {
		if v := float64(v); !math.IsNaN(v) && !math.IsInf(v, 0) {
			sum, n = sum+v, n+1
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}

func sumOf(values []number) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, v := range values {
		sum += float64(v)
	}
	return sum
}
