package torchfile

// Labels says what the classes are that a fairseq model predicts, the rows of its label embeddings, as far as the
// training checkpoint tells:
//
//   - symbols of each dictionary in the order of their indices. They are under "task_state" and there under
//     "dictionaries", as objects with a list of "symbols". nil where the file keeps none.
//   - raw: a class is the number in the label file itself, not the index of the symbol that it spells. This is
//     numpy_memmap_label in the task's configuration (MERT's).
//
// It reads the pickle again, as [Parse] does, and fails as that does.
func Labels(data []byte) (symbols [][]string, raw bool, err error) {
	root, _, err := contents(data)
	if err != nil {
		return nil, false, err
	}
	const key = "numpy_memmap_label"
	raw = member(member(member(root, "cfg"), "task"), key) == true || member(member(root, "args"), key) == true
	found, ok := member(member(root, "task_state"), "dictionaries").(*list)
	if !ok {
		return nil, raw, nil
	}
	room := len(data) // the file can name one dictionary, or one symbol, many times over
	for i, item := range found.items {
		list, err := symbolsOf(item, &room)
		if err != nil {
			return nil, false, within(err, "dictionary %d", i)
		}
		symbols = append(symbols, list)
	}
	return symbols, raw, nil
}

// member is what a dictionary has under a key, or an object as an attribute: one of its own, as in a Namespace, or one
// of omegaconf's, which keeps pairs in _content and values in _val. nil where there is none.
func member(of value, key string) value {
	switch of := of.(type) {
	case *dict:
		return held(of.find(key))
	case *opaque:
		attributes, ok := of.attributes.(*dict)
		if !ok {
			return nil
		}
		if content, ok := attributes.find("_content").(*dict); ok {
			attributes = content
		}
		return held(attributes.find(key))
	}
	return nil
}

// held is the value in a node of omegaconf, and any other value itself.
func held(v value) value {
	if node, ok := v.(*opaque); ok {
		if attributes, ok := node.attributes.(*dict); ok {
			if inner := attributes.find("_val"); inner != nil {
				return inner
			}
		}
	}
	return v
}

// symbolsOf copies the symbols of one dictionary, and takes what they need from room.
func symbolsOf(item value, room *int) ([]string, error) {
	object, ok := item.(*opaque)
	if !ok {
		return nil, broken(RuleContents, "%s, want an object", kind(item))
	}
	attributes, ok := object.attributes.(*dict)
	if !ok {
		return nil, broken(RuleContents, "%s without attributes", kind(item))
	}
	if *room -= 1 + attributes.length(); *room < 0 {
		return nil, broken(RuleContents, "more symbols than the file has bytes")
	}
	found, ok := attributes.find("symbols").(*list)
	if !ok {
		return nil, broken(RuleContents, "%s has no list of symbols", kind(item))
	}
	if len(found.items) > *room {
		return nil, broken(RuleContents, "more symbols than the file has bytes")
	}
	symbols := make([]string, 0, len(found.items))
	for i, item := range found.items {
		symbol, ok := item.(text)
		if !ok {
			return nil, broken(RuleContents, "symbol %d is %s, want a string", i, kind(item))
		}
		if *room -= 1 + len(symbol); *room < 0 {
			return nil, broken(RuleContents, "more symbols than the file has bytes")
		}
		symbols = append(symbols, string(symbol))
	}
	return symbols, nil
}
