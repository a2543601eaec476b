package tokenizer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// specialNames are the roles of special tokens that every tokenizer can have, in the order in which they are added.
func specialNames() []string {
	return []string{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}
}

// listNames are the keys of special tokens without a role of their own.
func listNames() []string { return []string{"extra_special_tokens", "additional_special_tokens"} }

// role is one thing that the files beside tokenizer.json name a special token for.
type role struct {
	key   string
	token Added
}

// addFromConfig adds the tokens that only the files beside tokenizer.json have. With added_tokens_decoder,
// tokenizer_config.json has them all; without it special_tokens_map.json and added_tokens.json count as well.
func (t *Tokenizer) addFromConfig() error {
	roles, err := t.roles()
	if err != nil {
		return err
	}
	listed, err := t.decoder()
	if err == nil && listed == nil {
		listed, err = t.addedTokens(roles)
	}
	if err != nil {
		return err
	}
	named := make(map[string]bool)
	for _, r := range roles {
		named[r.token.Content] = named[r.token.Content] || !slices.Contains(listNames(), r.key)
	}
	have := make(map[string]bool)
	for i := range listed {
		listed[i].Special = listed[i].Special || named[listed[i].Content]
		have[listed[i].Content] = true
	}
	for _, r := range roles {
		if _, ok := t.added[r.token.Content]; !ok && !have[r.token.Content] {
			listed = append(listed, r.token)
		}
	}
	t.add(listed...)
	return nil
}

// roles lists the special tokens: those of the fixed roles first, then a model's own roles, then those without.
func (t *Tokenizer) roles() ([]role, error) {
	given := slices.Clone(t.config)
	if _, ok := t.config.get("added_tokens_decoder"); !ok {
		given = append(given, t.names...)
	}
	fields := make(map[string]json.RawMessage, len(given)) // where both files name a token, special_tokens_map.json's counts
	for _, f := range given {
		fields[f.key] = f.value
	}
	var list []role
	take := func(key string, value json.RawMessage) error {
		a, ok, err := parseAdded(value, true)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", configFile, key, err)
		}
		if ok {
			list = append(list, role{key, a})
		}
		return nil
	}
	for _, key := range specialNames() {
		if err := take(key, fields[key]); err != nil {
			return nil, err
		}
	}
	for _, f := range given {
		if isRole(f.key) && !slices.Contains(specialNames(), f.key) && namesToken(f.value) {
			if err := take(f.key, f.value); err != nil {
				return nil, err
			}
		}
	}
	for _, key := range listNames() {
		items, err := listItems(fields[key])
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", configFile, key, err)
		}
		for _, item := range items {
			if err := take(key, item); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// isRole tells keys whose value is a special token.
func isRole(key string) bool { return strings.HasSuffix(key, "_token") }

// namesToken tells a value that can be a token from switches such as add_bos_token.
func namesToken(value json.RawMessage) bool { return value[0] == '"' || value[0] == '{' }

// listItems reads a list, or the values of an object (roles that only this model has).
func listItems(value json.RawMessage) (items []json.RawMessage, err error) {
	switch {
	case len(value) == 0 || string(value) == "null":
		return nil, nil
	case value[0] == '{':
		o, err := parseObject(value)
		for _, f := range o {
			items = append(items, f.value)
		}
		return items, err
	}
	if err := json.Unmarshal(value, &items); err != nil {
		return nil, malformed(err)
	}
	return items, nil
}

// decoder reads tokenizer_config.json's added_tokens_decoder, {"id": settings}, in the order of the ids; nil if there is none.
func (t *Tokenizer) decoder() ([]Added, error) {
	value, ok := t.config.get("added_tokens_decoder")
	if !ok {
		return nil, nil
	}
	fields, err := parseObject(value)
	if err != nil {
		return nil, fmt.Errorf("%s: added_tokens_decoder: %w", configFile, err)
	}
	return inOrder(fields, func(f field) (string, Added, error) {
		a, _, err := parseAdded(f.value, false)
		return f.key, a, err
	}, configFile+": added_tokens_decoder")
}

// addedTokens reads added_tokens.json, {token: id}, in the order of the ids. Tokens without a role are not special.
func (t *Tokenizer) addedTokens(roles []role) ([]Added, error) {
	text, ok := t.files[addedFile]
	if !ok {
		return nil, nil
	}
	if err := checkText(text); err != nil {
		return nil, fmt.Errorf("%s: %w", addedFile, err)
	}
	fields, err := parseObject(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", addedFile, err)
	}
	special := make(map[string]bool)
	for _, r := range roles {
		special[r.token.Content] = true
	}
	return inOrder(fields, func(f field) (string, Added, error) {
		return string(f.value), plain(f.key, special[f.key]), nil
	}, addedFile)
}

// inOrder reads tokens with their ids and sorts them by those.
func inOrder(fields object, read func(f field) (id string, a Added, err error), where string) ([]Added, error) {
	type listed struct {
		id    uint64
		token Added
	}
	var all []listed
	for _, f := range fields {
		text, a, err := read(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", where, f.key, err)
		}
		id, err := strconv.ParseUint(text, 10, idBits)
		if err != nil {
			return nil, invalid("%s: id %s, want a whole number in [0, 2^%d)", where, text, idBits)
		}
		all = append(all, listed{id, a})
	}
	slices.SortStableFunc(all, func(a, b listed) int { return int(a.id) - int(b.id) })
	list := make([]Added, len(all))
	for i, l := range all {
		list[i] = l.token
	}
	return list, nil
}
