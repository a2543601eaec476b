package checkpoint

// File is the path of the file that holds a tensor.
func (m *Model) File(name string) (string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	t, err := m.find(name)
	return t.file, err
}

// Files lists the files that hold the model's tensors, as paths, sorted.
func (m *Model) Files() []string {
	seen := make(map[string]bool)
	for _, t := range m.stored {
		seen[t.file] = true
	}
	return sortedKeys(seen)
}
