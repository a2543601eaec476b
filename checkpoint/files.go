package checkpoint

// File is the path of the file that holds a tensor.
func (m *Model) File(name string) (string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	t, err := m.find(name)
	return t.file, err
}
