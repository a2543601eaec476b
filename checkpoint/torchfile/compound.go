package torchfile

// compound makes a value out of others.
func (m *machine) compound(op byte) (value, error) {
	switch op {
	case opEmptyTuple:
		return &tuple{}, nil
	case opEmptyList, opEmptySet:
		return &list{}, nil
	case opEmptyDict:
		return &dict{}, nil
	case opTuple1, opTuple2, opTuple3:
		return known(m.popTuple(int(op) - opTuple1 + 1))
	case opTuple, opList, opFrozenSet, opDict:
		items, err := m.popMark()
		switch {
		case err != nil:
			return nil, err
		case op == opTuple:
			return newTuple(items), nil
		case op == opDict:
			d := &dict{}
			return d, m.setItems(d, items)
		}
		return (*list)(newTuple(items)), nil
	case opGlobal:
		module, err := m.line()
		if err != nil {
			return nil, err
		}
		name, err := m.line()
		return newGlobal(module, name), err
	case opStackGlobal:
		two, err := m.popTuple(2)
		if err != nil {
			return nil, err
		}
		module, ok := two.items[0].(text)
		name, too := two.items[1].(text)
		if !ok || !too {
			return nil, m.broken("a name of %s and %s, want two strings", kind(two.items[0]), kind(two.items[1]))
		}
		return newGlobal(module, name), nil
	case opBinPersID:
		id, err := m.pop()
		if err != nil {
			return nil, err
		}
		return m.persistent(id)
	case opReduce, opNewObj, opNewObjEx, opInst, opObj:
		return m.construct(op)
	}
	return nil, m.broken("not an opcode that torch.save writes")
}

// known makes a typed pointer a value: nil stays nil.
func known(t *tuple, err error) (value, error) {
	if err != nil {
		return nil, err
	}
	return t, nil
}

// construct reads the five ways to say that a function or class is called with arguments.
func (m *machine) construct(op byte) (value, error) {
	switch op {
	case opReduce, opNewObj:
		two, err := m.popTuple(2)
		if err != nil {
			return nil, err
		}
		args, ok := two.items[1].(*tuple)
		if !ok {
			return nil, m.broken("called with %s, want a tuple", kind(two.items[1]))
		}
		return m.call(two.items[0], args)
	case opNewObjEx: // class, arguments, named arguments
		three, err := m.popTuple(3)
		if err != nil {
			return nil, err
		}
		class, _ := three.items[0].(*global)
		return &opaque{class: class, holds: three.holds}, nil
	case opInst:
		module, err := m.line()
		if err != nil {
			return nil, err
		}
		name, err := m.line()
		if err != nil {
			return nil, err
		}
		args, err := m.popMark()
		if err != nil {
			return nil, err
		}
		return m.call(newGlobal(module, name), newTuple(args))
	}
	items, err := m.popMark() // opObj
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, m.broken("nothing to call")
	}
	return m.call(items[0], newTuple(items[1:]))
}

// fill adds to the container below what is on the stack.
func (m *machine) fill(op byte) error {
	var items []value
	var err error
	switch op {
	case opAppends, opAddItems, opSetItems:
		items, err = m.popMark()
	default:
		n := 1
		if op == opSetItem {
			n = 2
		}
		if len(m.stack)-m.floor() < n {
			return m.broken("nothing on the stack")
		}
		items = m.stack[len(m.stack)-n:]
		m.stack = m.stack[:len(m.stack)-n]
	}
	if err != nil {
		return err
	}
	target, err := m.top()
	if err != nil {
		return err
	}
	switch t := target.(type) {
	case *opaque:
		t.holds = t.holds || anyHolds(items)
		if op == opBuild {
			t.attributes = items[0]
		}
		return nil
	case *dict:
		switch op {
		case opSetItem, opSetItems:
			return m.setItems(t, items)
		case opBuild: // attributes, such as the _metadata of a state dict
			return nil
		}
	case *list:
		if op == opAppend || op == opAppends || op == opAddItems {
			t.items = append(t.items, items...)
			t.holds = t.holds || anyHolds(items)
			return nil
		}
	case *tensor:
		if op == opBuild {
			return nil
		}
	}
	return m.broken("cannot be done to %s", kind(target))
}

func (m *machine) setItems(d *dict, items []value) error {
	if len(items)%2 != 0 {
		return m.broken("a key without a value")
	}
	for i := 0; i < len(items); i += 2 {
		d.pairs = append(d.pairs, pair{items[i], items[i+1]})
		d.holds = d.holds || holds(items[i+1])
	}
	return nil
}
