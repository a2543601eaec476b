package gemm

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"syncretic/adapt/kernel"
)

// tables are the kernels of each family, from 1 row up.
var tables = map[string]any{
	"packed%dx32avx512":   avx512Packed[:],
	"tile%dx32avx512":     avx512Wide[:],
	"tile%dx16avx512":     avx512Narrow[:],
	"packed%dx16avx2":     avx2Packed[:],
	"tile%dx16avx2":       avx2Whole[:],
	"tile%dx16avx2masked": avx2Wide[:],
	"tile%dx8avx2masked":  avx2Narrow[:],
}

// TestTables: each table has each height's kernel in its place, those too that no test can run on this machine.
func TestTables(t *testing.T) {
	for _, f := range families {
		table := reflect.ValueOf(tables[f.name])
		if table.Len() != f.rows {
			t.Fatalf("%s: %d heights, want %d", f.name, table.Len(), f.rows)
		}
		for i := range f.rows {
			got := runtime.FuncForPC(table.Index(i).Pointer()).Name()
			if want := fmt.Sprintf("."+f.name, i+1); !strings.HasSuffix(got, want) {
				t.Errorf("%s for %d rows is %s", f.name, i+1, got)
			}
		}
	}
}

// TestInterpreter: the interpreter leaves memory as the processor does, bit for bit, after the AVX2 kernels and, where
// there is AVX-512, after those.
func TestInterpreter(t *testing.T) {
	routines, data := assembly(t)
	for _, f := range families {
		set := kernel.AVX2
		if strings.HasSuffix(f.name, "avx512") {
			set = kernel.AVX512
		}
		if !kernel.Allowed(set) {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			f.each(func(name string, q *call) {
				want, err := q.interpret(routines[name], f.packed, data["lanemasks"])
				if err != nil {
					t.Fatalf("%s: %v: %v", name, q, err)
				}
				got := slices.Clone(q.words)
				a, b, c := &got[q.a], &got[q.b], &got[q.c]
				switch table := tables[f.name].(type) {
				case []packedFunc:
					table[q.rows-1](q.kc, a, b, c, q.ldc, q.acc)
				case []tileFunc:
					table[q.rows-1](q.kc, a, q.aRow, q.aCol, b, q.bRow, c, q.ldc, q.cols, q.acc)
				}
				equal(t, fmt.Sprintf("%s: %v", name, q), got, want)
			})
		})
	}
}
