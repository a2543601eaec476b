package kernel

import "golang.org/x/sys/cpu"

func native() []Set {
	switch {
	case !cpu.X86.HasAVX2 || !cpu.X86.HasFMA:
		return nil
	case !cpu.X86.HasAVX512F:
		return []Set{AVX2}
	}
	return []Set{AVX512, AVX2}
}
