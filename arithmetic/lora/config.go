package lora

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"syncretic/checkpoint"
)

// invalidError is a checkpoint.ErrInvalid whose message says only what is wrong.
type invalidError struct{ text string }

func (e *invalidError) Error() string        { return e.text }
func (e *invalidError) Is(target error) bool { return target == checkpoint.ErrInvalid }

func invalid(format string, args ...any) error { return &invalidError{fmt.Sprintf(format, args...)} }

// config is what of adapter_config.json decides about weights.
type config struct {
	Type        string  `json:"peft_type"`
	Rank        int     `json:"r"`
	Alpha       float64 `json:"lora_alpha"`
	Ranks       pattern `json:"rank_pattern"`
	Alphas      pattern `json:"alpha_pattern"`
	RootScale   bool    `json:"use_rslora"`
	FanInFanOut bool    `json:"fan_in_fan_out"`
	Init        any     `json:"init_lora_weights"`
	Base        string  `json:"base_model_name_or_path"`

	DoRA        bool            `json:"use_dora"`
	QALoRA      bool            `json:"use_qalora"`
	BlockwiseLR json.RawMessage `json:"use_bdlora"`
	Activated   json.RawMessage `json:"alora_invocation_tokens"`
	Replication json.RawMessage `json:"layer_replication"`
	Tokens      json.RawMessage `json:"trainable_token_indices"`
	Parameters  json.RawMessage `json:"target_parameters"`
}

// pattern is a list of regular expressions and values, in the file's order, in which the first match counts.
type pattern []patternValue

type patternValue struct {
	expr  *regexp.Regexp
	value float64
}

func (p *pattern) UnmarshalJSON(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	start, err := d.Token()
	if err != nil || start == nil {
		return err
	}
	if start != json.Delim('{') {
		return fmt.Errorf("got %v, want an object", start)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		text, _ := key.(string)
		var v patternValue
		if v.expr, err = regexp.Compile(`^(?:.*\.)?(?:` + text + `)$`); err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
		if err := d.Decode(&v.value); err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
		*p = append(*p, v)
	}
	return nil
}

// at is the value for a module, or otherwise.
func (p pattern) at(module string, otherwise float64) float64 {
	for _, v := range p {
		if v.expr.MatchString(module) {
			return v.value
		}
	}
	return otherwise
}

// parseConfig reads adapter_config.json. Defaults are PEFT's.
func parseConfig(raw []byte) (config, error) {
	c := config{Rank: 8, Alpha: 8}
	if err := json.Unmarshal(raw, &c); err != nil {
		return c, invalid("adapter_config.json: %v", err)
	}
	if c.Type != "LORA" {
		return c, invalid("adapter_config.json: peft_type is %q, want \"LORA\"", c.Type)
	}
	given := func(raw json.RawMessage) bool {
		return !slices.Contains([]string{"", "null", "false", "[]", "{}"}, string(bytes.TrimSpace(raw)))
	}
	for _, x := range []struct {
		on        bool
		key, what string
	}{
		{c.DoRA, "use_dora", "DoRA scales each row by a learned magnitude"},
		{c.QALoRA, "use_qalora", "its input is pooled"},
		{given(c.BlockwiseLR), "use_bdlora", "its factors are block-diagonal"},
		{given(c.Activated), "alora_invocation_tokens", "it is active only after certain tokens"},
		{given(c.Replication), "layer_replication", "its model has layers that the base has not"},
		{given(c.Tokens), "trainable_token_indices", "it replaces single rows of embeddings"},
		{given(c.Parameters), "target_parameters", "its factors are of several experts"},
	} {
		if x.on {
			return c, invalid("adapter_config.json: %s is not supported: %s; merge it with PEFT", x.key, x.what)
		}
	}
	if name, ok := c.Init.(string); ok {
		for _, changes := range []string{"pissa", "olora", "corda", "lora_ga", "loftq"} {
			if strings.HasPrefix(strings.ToLower(name), changes) {
				return c, invalid("adapter_config.json: init_lora_weights %q changed the base that the adapter belongs to; "+
					"let PEFT convert it to a plain adapter (path_initial_model_for_weight_conversion)", name)
			}
		}
	}
	if c.Rank < 1 || !finite(c.Alpha) {
		return c, invalid("adapter_config.json: r %d and lora_alpha %v, want a rank of 1 or more and a finite number", c.Rank, c.Alpha)
	}
	return c, nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// scaling is what a module's B·A is multiplied by: alpha/r, or alpha/√r.
func (c config) scaling(module string, rank int) (float64, error) {
	if want := c.Ranks.at(module, float64(c.Rank)); want != float64(rank) {
		return 0, invalid("module %q: its factors have rank %d, and adapter_config.json says %v", module, rank, want)
	}
	alpha := c.Alphas.at(module, c.Alpha)
	if !finite(alpha) {
		return 0, invalid("module %q: alpha %v, want a finite number", module, alpha)
	}
	if c.RootScale {
		return alpha / math.Sqrt(float64(rank)), nil
	}
	return alpha / float64(rank), nil
}
