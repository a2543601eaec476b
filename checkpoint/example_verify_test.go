package checkpoint_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"syncretic/checkpoint"
)

func ExampleVerify() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "m.safetensors")
	if err := os.WriteFile(path, []byte("\x02\x00\x00\x00\x00\x00\x00\x00{}left over"), 0o666); err != nil {
		log.Fatal(err)
	}
	for _, path := range []string{"testdata/sharded", path} {
		report, err := checkpoint.Verify(context.Background(), path, checkpoint.VerifyOptions{})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(report.Tensors, "tensors,", len(report.Broken), "rules broken")
		for _, broken := range report.Broken {
			fmt.Println(broken.Rule)
		}
	}
	// Output:
	// 3 tensors, 0 rules broken
	// 0 tensors, 1 rules broken
	// trailing-data
}

func ExampleRule() {
	_, err := checkpoint.Open("testdata/make.py")
	fmt.Println(checkpoint.Rule(err))
	_, err = checkpoint.ParseDType("float7")
	fmt.Println(checkpoint.Rule(err), err)
	// Output:
	// invalid-contents
	// invalid-contents "float7" is no dtype: want a name such as F32, BF16 or bfloat16
}

func ExampleParseDType() {
	for _, name := range []string{"BF16", "torch.bfloat16", "float8_e4m3fn"} {
		dtype, err := checkpoint.ParseDType(name)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(dtype, dtype.Bits(), "bits,", dtype.Torch())
	}
	// Output:
	// BF16 16 bits, bfloat16
	// BF16 16 bits, bfloat16
	// F8_E4M3 8 bits, float8_e4m3fn
}
