package parquet

import (
	"bytes"
	"strings"
	"testing"
)

// What pyarrow reads of such files is tested in probe/matrix.

func TestWrite(t *testing.T) {
	columns := []Column{{"a", []string{"x", ""}}, {"b", []bool{true, false}}, {"c", []int64{1, -1}}, {"d", []float64{0.5, 2}}}
	var once, twice bytes.Buffer
	for _, b := range []*bytes.Buffer{&once, &twice} {
		if err := Write(b, columns); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(once.Bytes(), twice.Bytes()) || !bytes.HasPrefix(once.Bytes(), []byte("PAR1")) || !bytes.HasSuffix(once.Bytes(), []byte("PAR1")) {
		t.Error("two files of the same columns differ, or are none")
	}
}

func TestWriteRefuses(t *testing.T) {
	for says, columns := range map[string][]Column{
		`column "b" has 1 rows, column "a" has 2`: {{"a", []int64{1, 2}}, {"b", []bool{true}}},
		`column "a" is a []int`:                   {{"a", []int{1}}},
	} {
		var b bytes.Buffer
		if err := Write(&b, columns); err == nil || !strings.Contains(err.Error(), says) || b.Len() > 0 {
			t.Errorf("error %v and %d bytes, want %q and none", err, b.Len(), says)
		}
	}
}
