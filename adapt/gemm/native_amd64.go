package gemm

import "syncretic/adapt/kernel"

// native returns the kernels that this process may run, best first.
func native() []*Kernel {
	var kernels []*Kernel
	if !kernel.Allowed(kernel.AVX2) {
		return kernels
	}
	if kernel.Allowed(kernel.AVX512) {
		kernels = append(kernels, &Kernel{
			name: "avx512-14x32", rows: 14, cols: 32, kc: 256, mc: 112, nc: 256, packed: avx512Packed[:],
			tile: func(rows, cols int) tileFunc {
				if cols <= 16 {
					return avx512Narrow[rows-1]
				}
				return avx512Wide[rows-1]
			},
			transpose8: transpose8avx2,
			copyPanels: copyPanelsAVX,
		})
	}
	return append(kernels, &Kernel{
		name: "avx2-6x16", rows: 6, cols: 16, kc: 256, mc: 96, nc: 256, packed: avx2Packed[:],
		tile: func(rows, cols int) tileFunc {
			switch {
			case cols == 16:
				return avx2Whole[rows-1]
			case cols > 8:
				return avx2Wide[rows-1]
			}
			return avx2Narrow[rows-1]
		},
		transpose8: transpose8avx2,
		copyPanels: copyPanelsAVX,
	})
}

// avx512Narrow are tiles of up to 16 columns, from 1 row up.
var avx512Narrow = [...]tileFunc{
	tile1x16avx512, tile2x16avx512, tile3x16avx512, tile4x16avx512,
	tile5x16avx512, tile6x16avx512, tile7x16avx512, tile8x16avx512,
	tile9x16avx512, tile10x16avx512, tile11x16avx512, tile12x16avx512,
	tile13x16avx512, tile14x16avx512,
}

// avx512Wide are tiles of up to 32 columns, from 1 row up.
var avx512Wide = [...]tileFunc{
	tile1x32avx512, tile2x32avx512, tile3x32avx512, tile4x32avx512,
	tile5x32avx512, tile6x32avx512, tile7x32avx512, tile8x32avx512,
	tile9x32avx512, tile10x32avx512, tile11x32avx512, tile12x32avx512,
	tile13x32avx512, tile14x32avx512,
}

// avx512Packed are tiles of packed operands, from 1 row up.
var avx512Packed = [...]packedFunc{
	packed1x32avx512, packed2x32avx512, packed3x32avx512, packed4x32avx512,
	packed5x32avx512, packed6x32avx512, packed7x32avx512, packed8x32avx512,
	packed9x32avx512, packed10x32avx512, packed11x32avx512, packed12x32avx512,
	packed13x32avx512, packed14x32avx512,
}

// avx2Narrow are tiles of up to 8 columns, from 1 row up.
var avx2Narrow = [...]tileFunc{
	tile1x8avx2masked, tile2x8avx2masked, tile3x8avx2masked, tile4x8avx2masked,
	tile5x8avx2masked, tile6x8avx2masked,
}

// avx2Wide are tiles of 9 to 16 columns, from 1 row up.
var avx2Wide = [...]tileFunc{
	tile1x16avx2masked, tile2x16avx2masked, tile3x16avx2masked, tile4x16avx2masked,
	tile5x16avx2masked, tile6x16avx2masked,
}

// avx2Whole are tiles of 16 columns, from 1 row up.
var avx2Whole = [...]tileFunc{
	tile1x16avx2, tile2x16avx2, tile3x16avx2, tile4x16avx2,
	tile5x16avx2, tile6x16avx2,
}

// avx2Packed are tiles of packed operands, from 1 row up.
var avx2Packed = [...]packedFunc{
	packed1x16avx2, packed2x16avx2, packed3x16avx2, packed4x16avx2,
	packed5x16avx2, packed6x16avx2,
}

// copyPanelsAVX are the copies of rows to panels.
var copyPanelsAVX = map[int]copyFunc{1: copy8panels, 2: copy16panels, 4: copy32panels}
