package main

import (
	"strings"

	"github.com/spf13/pflag"
)

// mergekitFlags are mergekit-yaml's own, so that command lines written for it run unchanged.
type mergekitFlags struct {
	shardSize string
	truncate  bool
	noCard    bool
	noCopy    bool
	card      bool
	copyTok   bool

	set *pflag.FlagSet
}

// idle are the flags that mean nothing here, and why.
var idle = map[string]string{
	"allow-crimes":       "any models whose tensors fit are merged",
	"trust-remote-code":  "no code of a model is ever run",
	"transformers-cache": "use HF_HOME or HF_HUB_CACHE",
	"lora-merge-cache":   "adapters are applied on the way, without a cache",
	"lora-merge-dtype":   "adapters are applied in float32",
	"cuda":               "merges run on the processor",
	"device":             "merges run on the processor",
	"low-cpu-memory":     "memory is bounded always",
	"lazy-unpickle":      "weights are always read where they lie",
	"read-to-gpu":        "merges run on the processor",
	"multi-gpu":          "merges run on the processor",
	"gpu-rich":           "merges run on the processor",
	"async-write":        "writing and computing always overlap",
	"write-threads":      "all workers write",
	"clone-tensors":      "a layer that stands twice is written twice",
	"safe-serialization": "safetensors is what is written",
}

func (m *mergekitFlags) add(f *pflag.FlagSet) {
	m.set = f
	f.StringVar(&m.shardSize, "out-shard-size", "5B", "most bytes a file: 5B is 5e9, as in mergekit, whose help speaks of parameters")
	f.BoolVar(&m.truncate, "unsafe-truncate-embeddings", false, "cut vocabularies of different lengths to the shortest, whatever their tokens mean")
	f.BoolVar(&m.card, "write-model-card", true, "write README.md and mergekit_config.yml beside the weights")
	f.BoolVar(&m.noCard, "no-write-model-card", false, "do not")
	f.BoolVar(&m.copyTok, "copy-tokenizer", true, "carry the donor's tokenizer files")
	f.BoolVar(&m.noCopy, "no-copy-tokenizer", false, "do not")
	for _, name := range []string{"transformers-cache", "lora-merge-cache", "lora-merge-dtype", "device", "write-threads"} {
		f.String(name, "", "accepted: "+idle[name])
	}
	for _, name := range []string{"allow-crimes", "trust-remote-code", "cuda", "low-cpu-memory", "lazy-unpickle", "read-to-gpu",
		"multi-gpu", "gpu-rich", "async-write", "clone-tensors", "safe-serialization"} {
		f.Bool(name, false, "accepted: "+idle[name])
		f.Bool("no-"+name, false, "accepted")
	}
	f.VisitAll(func(flag *pflag.Flag) { flag.Hidden = flag.Hidden || strings.HasPrefix(flag.Name, "no-") })
}
