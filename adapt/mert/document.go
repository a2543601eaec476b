package mert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
)

// ParseConfig reads a config.json. Keys it does not know are kept; keys that are absent or null take transformers'
// defaults. Errors are [ErrConfig] and name the key.
func ParseConfig(data []byte) (Config, error) {
	c := DefaultConfig()
	if err := json.Unmarshal(data, &c.document); err != nil {
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if c.document == nil {
		return Config{}, fmt.Errorf("%w: null, want an object", ErrConfig)
	}
	// Exact keys only: encoding/json would take "Hidden_Size" for "hidden_size".
	known := map[string]json.RawMessage{}
	for _, key := range configKeys() {
		if value, ok := c.document[key]; ok {
			known[key] = value
		}
	}
	exact, err := json.Marshal(known)
	if err != nil {
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err := json.Unmarshal(exact, &c); err != nil {
		var mistyped *json.UnmarshalTypeError
		if errors.As(err, &mistyped) {
			return Config{}, fmt.Errorf("%w: %s: a JSON %s, want %s", ErrConfig, mistyped.Field, mistyped.Value, mistyped.Type)
		}
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if value, ok := c.document["num_feat_extract_layers"]; ok {
		if want := fmt.Sprint(len(c.ConvDim)); string(value) != want {
			return Config{}, c.errorf("num_feat_extract_layers", "%s, but conv_dim has %s layers", value, want)
		}
	}
	if value, ok := c.document["adapter_attn_dim"]; ok && string(value) != "null" {
		return Config{}, c.errorf("adapter_attn_dim", "%s: attention adapters are not supported", value)
	}
	return c, c.Validate()
}

// JSON is the config.json of c: indented by two, keys sorted, final newline, as transformers writes it. Values that
// have not changed since [ParseConfig] keep their spelling, so an untouched config comes back key for key.
func (c Config) JSON() []byte {
	document := maps.Clone(c.document)
	if document == nil {
		document = map[string]json.RawMessage{}
	}
	fields, err := json.Marshal(c)
	if err != nil {
		panic(err) // only NaN or an infinity in a field can do this, and Validate refuses both
	}
	var current map[string]json.RawMessage
	if err := json.Unmarshal(fields, &current); err != nil {
		panic(err)
	}
	for _, key := range configKeys() {
		old, had := document[key]
		now, set := current[key]
		switch {
		case set && !(had && sameJSON(old, now)):
			document[key] = now
		case !set && had && !zeroJSON(old):
			delete(document, key)
		}
	}
	document["num_feat_extract_layers"] = json.RawMessage(fmt.Sprint(len(c.ConvDim)))

	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(document); err != nil {
		panic(err) // every value came out of a JSON parser
	}
	return out.Bytes()
}

// configKeys lists the keys that are fields of Config.
func configKeys() []string {
	var keys []string
	for field := range reflect.TypeFor[Config]().Fields() {
		if key, _, _ := strings.Cut(field.Tag.Get("json"), ","); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// zeroJSON reports whether a is false, null, zero or empty: what an omitted key means.
func zeroJSON(a json.RawMessage) bool {
	var x any
	if json.Unmarshal(a, &x) != nil {
		return false
	}
	return x == nil || x == false || x == 0.0 || x == ""
}
