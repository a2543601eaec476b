package torchfile_test

import (
	"fmt"
	"os"

	"syncretic/checkpoint/torchfile"
)

func ExampleParse() {
	data, err := os.ReadFile("testdata/fairseq.bin")
	if err != nil {
		fmt.Println(err)
		return
	}
	tensors, err := torchfile.Parse(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range tensors {
		fmt.Println(t.Name, t.DType, t.Shape, len(t.Bytes), "bytes")
	}
	// Output:
	// encoder.layers.0.fc1.weight F32 [4 3] 48 bytes
	// encoder.pos_conv.0.weight_g F32 [1 1 4] 16 bytes
	// encoder.pos_conv.0.weight_v F32 [2 3 4] 96 bytes
}

// A transposed matrix lies in the file by columns; rows are gathered.
func ExampleTensor_Gather() {
	data, err := os.ReadFile("testdata/views.bin")
	if err != nil {
		fmt.Println(err)
		return
	}
	tensors, err := torchfile.Parse(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range tensors {
		if t.Name == "integers" { // arange(12).view(3, 4).t()
			row := make([]byte, 3*8)
			t.Gather(row, 3) // the second
			fmt.Println(t.DType, t.Shape, t.Bytes == nil, row[0], row[8], row[16])
		}
	}
	// Output: I64 [4 3] true 1 5 9
}
