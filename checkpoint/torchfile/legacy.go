package torchfile

import "encoding/binary"

// magic is the number that a file of torch.save before 1.6 starts with, as pickle stores it.
const magic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"

// legacyVersion is the one version of that container.
const legacyVersion = 1001

// parseLegacy reads the container of PyTorch before 1.6: four pickles (magic, version, a description of the machine, the
// contents), a fifth with the storages' keys, then for each of these 8 bytes of element count and its elements.
func parseLegacy(data []byte) (root value, find locate, err error) {
	m := &machine{data: data}
	first, err := m.run()
	if got, ok := first.(long); err != nil || !ok || string(got) != magic {
		return nil, nil, broken(RuleContainer, "not a file of torch.save: a pickle, but without its magic number")
	}
	version, err := m.run()
	if err != nil {
		return nil, nil, err
	}
	if version != int64(legacyVersion) {
		return nil, nil, broken(RuleContainer, "version %s, want %d", kind(version), legacyVersion)
	}
	system, err := m.run()
	if err != nil {
		return nil, nil, err
	}
	if d, ok := system.(*dict); ok && d.find("little_endian") == false {
		return nil, nil, broken(RuleByteOrder, "written on a machine that stores the high byte first, want little-endian")
	}
	root, err = m.run()
	if err != nil {
		return nil, nil, err
	}
	storages := m.storages
	keys, err := m.run()
	if err != nil {
		return nil, nil, err
	}
	list, ok := keys.(*list)
	if !ok {
		return nil, nil, broken(RuleStorage, "storage keys: %s, want a list", kind(keys))
	}
	if err := readStorages(data[m.pos:], list, storages); err != nil {
		return nil, nil, err
	}
	return root, func(s *storage) ([]byte, error) {
		if s.bytes == nil {
			return nil, broken(RuleStorage, "storage %s: not among the file's storages", quoted(s.key))
		}
		return s.bytes, nil
	}, nil
}

// readStorages gives each listed storage its bytes.
func readStorages(rest []byte, keys *list, storages map[string]*storage) error {
	for _, item := range keys.items {
		key, _ := item.(text)
		s := storages[string(key)]
		switch {
		case s == nil:
			return broken(RuleStorage, "storage key %s: no tensor has it", kind(item))
		case s.bytes != nil:
			return broken(RuleStorage, "storage %s: listed twice", quoted(key))
		case s.size == 0:
			return broken(RuleDType, "storage %s: %s has an unknown element size", quoted(key), s.class)
		case len(rest) < 8:
			return broken(RuleStorage, "truncated: storage %s is missing", quoted(key))
		}
		if n := binary.LittleEndian.Uint64(rest); n != uint64(s.elements) {
			return broken(RuleStorage, "storage %s: %d elements, want %d", quoted(key), n, s.elements)
		}
		rest = rest[8:]
		if s.elements > len(rest)/s.size {
			return broken(RuleStorage, "truncated: storage %s has %d elements of %d bytes, but only %d bytes follow", quoted(key), s.elements, s.size, len(rest))
		}
		n := s.elements * s.size
		s.bytes, rest = rest[:n:n], rest[n:]
	}
	if len(rest) > 0 {
		return broken(RuleStorage, "%d bytes after the last storage", len(rest))
	}
	return nil
}
