package torchfile

// Dictionaries lists the symbols of each dictionary that fairseq keeps in a training checkpoint, in the order of their
// indices: what the rows of the model's label embeddings stand for. They are under "task_state" and there under
// "dictionaries", as objects with a list of "symbols". nil where the file keeps none.
//
// It reads the pickle again, as [Parse] does, and fails as that does.
func Dictionaries(data []byte) ([][]string, error) {
	root, _, err := contents(data)
	if err != nil {
		return nil, err
	}
	top, ok := root.(*dict)
	if !ok {
		return nil, nil
	}
	state, ok := top.find("task_state").(*dict)
	if !ok {
		return nil, nil
	}
	found, ok := state.find("dictionaries").(*list)
	if !ok {
		return nil, nil
	}
	var all [][]string
	room := len(data) // the file can name one dictionary, or one symbol, many times over
	for i, item := range found.items {
		symbols, err := symbolsOf(item, &room)
		if err != nil {
			return nil, within(err, "dictionary %d", i)
		}
		all = append(all, symbols)
	}
	return all, nil
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
