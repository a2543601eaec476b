package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"syncretic/checkpoint"
)

type convertOptions struct {
	dtype, shardSize string
}

func newConvert(a *app) *cobra.Command {
	var o convertOptions
	cmd := &cobra.Command{
		Use:   "convert MODEL OUT",
		Short: "Change a model's container, dtype or shard size",
		Long: "Write MODEL again: as a directory with its side files, or as one file when OUT ends in .safetensors.\n" +
			"--dtype rounds floats once, to nearest even, and says so in config.json; integers stay. What a type cannot hold is an error.",
		Example: "  syncretic convert mert-v1-95m out/half --dtype bfloat16 --shard-size 500MB",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runConvert(cmd.Context(), a, o, args[0], args[1])
		},
	}
	cmd.Flags().StringVar(&o.dtype, "dtype", "", "F64, F32, F16, BF16, F8_E4M3 or F8_E5M2, or as PyTorch spells it (default: each tensor's own)")
	cmd.Flags().StringVar(&o.shardSize, "shard-size", "", "most bytes of tensors a file, such as 5GB or 500MB (default: one file)")
	return cmd
}

func runConvert(ctx context.Context, a *app, o convertOptions, path, out string) error {
	opts := checkpoint.WriteOptions{Force: a.force}
	single := strings.HasSuffix(out, ".safetensors")
	var err error
	if o.dtype != "" {
		if opts.DType, err = parseFloatType(o.dtype); err != nil {
			return usageError("--dtype %v", err)
		}
	}
	if o.shardSize != "" {
		if opts.ShardBytes, err = parseBytes(o.shardSize); err != nil {
			return usageError("--shard-size %v", err)
		}
		if single && opts.ShardBytes > 0 {
			return usageError("--shard-size: OUT %s is one file; shards need a directory", out)
		}
	}
	if err := a.modelOutput(out, path); err != nil {
		return err
	}
	m, err := checkpoint.Open(path)
	if err != nil {
		return err
	}
	defer m.Close()
	opts.Metadata = m.Metadata()
	opts.Metadata[metaTool] = version()
	if !single {
		if opts.SideFiles, err = m.SideFiles(); err != nil {
			return err
		}
		if opts.DType != "" {
			retype(opts.SideFiles, opts.DType)
		}
	}
	if err := a.write(ctx, out, m, opts); err != nil {
		return err
	}
	tensors, parameters := count(m)
	return a.result(map[string]any{"output": out, "tensors": tensors, "parameters": parameters},
		fmt.Sprintf("%s: %d tensors, %d parameters\n", out, tensors, parameters))
}

// parseFloatType reads the name of a type that floats can be converted to.
func parseFloatType(name string) (checkpoint.DType, error) {
	floats := []checkpoint.DType{checkpoint.F64, checkpoint.F32, checkpoint.F16, checkpoint.BF16, checkpoint.F8E4M3, checkpoint.F8E5M2}
	d, err := checkpoint.ParseDType(name)
	if err != nil || !slices.Contains(floats, d) {
		return "", fmt.Errorf("%q: want F64, F32, F16, BF16, F8_E4M3 or F8_E5M2, or PyTorch's name of one, such as bfloat16", name)
	}
	return d, nil
}

// retype has config.json name the type that its model now has, where it named another float. The rest stays as it was, to the
// byte.
func retype(sides []checkpoint.SideFile, d checkpoint.DType) {
	named := regexp.MustCompile(`("(?:torch_)?dtype"\s*:\s*)"(?:float64|float32|float16|bfloat16|float8_e4m3fn|float8_e5m2)"`)
	for i, side := range sides {
		if side.Name == "config.json" {
			sides[i].Data = named.ReplaceAll(side.Data, []byte(`${1}"`+d.Torch()+`"`))
		}
	}
}
