package kernel

// native returns NEON, which every arm64 processor has.
func native() []Set { return []Set{NEON} }
