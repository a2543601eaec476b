package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"syncretic/adapt"
)

// stepNote is a step in a line. What is looked for first stands first, since a bar's line may be cut.
func stepNote(r adapt.Record) string {
	return fmt.Sprintf("%s  loss %.3f  accuracy %.1f %%  %s left  ce %.2f  cqt %.3f  lr %.2g  %.3g clips/s%s", r.Stage, r.Loss, 100*r.MeanAccuracy(),
		short(r.Left), r.CE(), r.CQT, r.Rate, r.Speed, skippedSteps("  ", r))
}

// short is a duration as people say it of a run: in seconds below two minutes, in minutes below ten hours, and so on.
func short(d time.Duration) string {
	switch minutes := int(d.Round(time.Minute).Minutes()); {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	case minutes < 60:
		return fmt.Sprintf("%d min", minutes)
	case minutes < 48*60:
		return fmt.Sprintf("%d h %02d min", minutes/60, minutes%60)
	default:
		return fmt.Sprintf("%d d %d h", minutes/60/24, minutes/60%24)
	}
}

// heldoutResults hears of a run's measurements on held-out audio, shows each, and keeps the last of every corpus.
type heldoutResults struct {
	a    *app
	bar  *progress
	last []map[string]any
	rows []string
}

func newHeldoutResults(a *app, bar *progress) *heldoutResults {
	return &heldoutResults{a: a, bar: bar, last: []map[string]any{}}
}

func (h *heldoutResults) hear(now adapt.HeldoutRecord, base *adapt.HeldoutRecord) {
	result := map[string]any{"record": now}
	change := ""
	if base != nil && now.Reason == "" && now.Step > 0 {
		result["ce_base"], result["ce_change"], result["cqt_mse_change"] = base.CE, now.CE-base.CE, now.CQT-base.CQT
		change = fmt.Sprintf(" (%+.3f to the base's)", now.CE-base.CE)
	}
	text := fmt.Sprintf("held-out %s after step %d: cross-entropy %.3f%s, cqt %.4f, accuracy %.1f %%", now.Corpus, now.Step, now.CE, change, now.CQT, 100*now.MeanAccuracy())
	if now.Reason != "" {
		text = fmt.Sprintf("held-out %s after step %d: %s", now.Corpus, now.Step, now.Reason)
	}
	switch {
	case h.a.shown == progressJSON && !h.a.quiet:
		h.a.event("heldout", result)
	default:
		h.bar.logf("%s", text)
	}
	at := slices.IndexFunc(h.last, func(r map[string]any) bool { return r["record"].(adapt.HeldoutRecord).Corpus == now.Corpus })
	if at < 0 {
		h.last, h.rows = append(h.last, result), append(h.rows, text)
		return
	}
	h.last[at], h.rows[at] = result, text
}

// text is the last measurement of every corpus, a line each.
func (h *heldoutResults) text() string {
	var b strings.Builder
	for _, row := range h.rows {
		b.WriteString(row + "\n")
	}
	return b.String()
}
