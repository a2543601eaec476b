package main

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// mergekitFlags are those of mergekit-yaml and mergekit-multi, so that command lines written for them run unchanged.
type mergekitFlags struct {
	shardSize   string
	truncate    bool
	noCard      bool
	noTokenizer bool
	seed        uint64
	threads     int
	out         string
}

// idleFlags are those of them that mean nothing here, and why.
func idleFlags() map[string]string {
	const processor = "merges run on the processor"
	return map[string]string{
		"allow-crimes":       "any models whose tensors fit are merged",
		"trust-remote-code":  "no code of a model is ever run",
		"transformers-cache": "models are looked up where HF_HOME and HF_HUB_CACHE say",
		"lora-merge-cache":   "adapters are applied on the way, without a cache",
		"lora-merge-dtype":   "adapters are applied in float32",
		"cuda":               processor,
		"device":             processor,
		"read-to-gpu":        processor,
		"multi-gpu":          processor,
		"gpu-rich":           processor,
		"low-cpu-memory":     "memory is bounded always",
		"lazy-unpickle":      "weights are always read where they lie",
		"async-write":        "computing and writing always overlap",
		"write-threads":      "all workers write",
		"clone-tensors":      "a layer that stands twice is written twice",
		"safe-serialization": "what is written is safetensors",
		"intermediate-dir":   "named documents are computed where they are needed, without files",
		"lazy":               "named documents are computed where they are needed, without files",
	}
}

// add makes the flags. mergekit-yaml's switches have a --no- form.
func (m *mergekitFlags) add(f *pflag.FlagSet) {
	f.StringVar(&m.shardSize, "out-shard-size", "5GB", "most bytes a file; 5B is 5 billion, as in mergekit")
	f.BoolVar(&m.truncate, "unsafe-truncate-embeddings", false, "cut vocabularies of different lengths to the shortest, whatever their tokens mean")
	f.BoolVar(&m.noCard, "no-write-model-card", false, "do not write README.md and mergekit_config.yml beside the weights")
	f.BoolVar(&m.noTokenizer, "no-copy-tokenizer", false, "do not carry the donor's tokenizer files")
	f.Uint64Var(&m.seed, "random-seed", 0, "the same as --seed")
	f.IntVarP(&m.threads, "num-threads", "j", 0, "the same as --threads")
	f.StringVar(&m.out, "out-path", "", "OUT, as mergekit-multi spells it")
	f.CountP("verbosity", "v", "accepted: what there is to say is always said")
	for _, name := range []string{"write-model-card", "copy-tokenizer"} {
		f.Bool(name, true, "the default")
	}
	addIdle(f)
	for _, name := range []string{"write-model-card", "copy-tokenizer", "random-seed", "num-threads", "verbosity", "out-path"} {
		f.Lookup(name).Hidden = true
	}
}

// addIdle makes the flags of all of mergekit's tools that mean nothing here, hidden from help.
func addIdle(f *pflag.FlagSet) {
	words := []string{"transformers-cache", "lora-merge-cache", "lora-merge-dtype", "device", "write-threads", "intermediate-dir"}
	idle := idleFlags()
	for name, why := range idle {
		if slices.Contains(words, name) {
			short := ""
			if name == "intermediate-dir" {
				short = "I"
			}
			f.StringP(name, short, "", "accepted: "+why)
			continue
		}
		f.Bool(name, false, "accepted: "+why)
		f.Bool("no-"+name, false, "accepted")
	}
	for name := range idle {
		f.Lookup(name).Hidden = true
		if no := f.Lookup("no-" + name); no != nil {
			no.Hidden = true
		}
	}
}

// explain says which of the flags that were given mean nothing here.
func (a *app) explainIdle(f *pflag.FlagSet) {
	idle := idleFlags()
	f.Visit(func(flag *pflag.Flag) {
		if why, ok := idle[strings.TrimPrefix(flag.Name, "no-")]; ok {
			a.logf("note: --%s has no effect here: %s", flag.Name, why)
		}
	})
}

// tokenizerFiles are what --no-copy-tokenizer leaves out.
func tokenizerFiles() []string {
	return []string{"tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "vocab.txt",
		"merges.txt", "chat_template.jinja", "chat_template.json"}
}
