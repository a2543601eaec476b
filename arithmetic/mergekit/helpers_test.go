package mergekit

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

// bench is a folder of small models, made the working directory.
type bench struct{ testing.TB }

func newBench(t *testing.T) bench {
	t.Helper()
	t.Chdir(t.TempDir())
	return bench{t}
}

func (b bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// floats is an F32 tensor [len(x)].
func floats(name string, x ...float32) checkpoint.Tensor {
	return checkpoint.Tensor{Name: name, Shape: []int{len(x)}, Data: x}
}

// model writes a directory with a config.json, "" for none.
func (b bench) model(path, config string, tensors ...checkpoint.Tensor) {
	b.Helper()
	src, err := checkpoint.NewMemory(tensors...)
	b.must(err)
	var opts checkpoint.WriteOptions
	if config != "" {
		opts.SideFiles = []checkpoint.SideFile{{Name: "config.json", Data: []byte(config)}}
	}
	b.must(checkpoint.Write(b.Context(), path, src, opts))
}

// stack writes a model of n layers with an embedding, a weight a layer, a norm and a head, all of one element: value + layer/10,
// the embedding value, the norm value + 10, the head value + 20.
func (b bench) stack(path string, n int, value float32) {
	b.Helper()
	tensors := []checkpoint.Tensor{floats("model.embed_tokens.weight", value), floats("model.norm.weight", value+10), floats("lm_head.weight", value+20)}
	for i := range n {
		tensors = append(tensors, floats(fmt.Sprintf("model.layers.%d.mlp.weight", i), value+float32(i)/10),
			floats(fmt.Sprintf("model.layers.%d.attn.weight", i), value+float32(i)/10))
	}
	b.model(path, fmt.Sprintf(`{"architectures": ["LlamaForCausalLM"], "num_hidden_layers": %d, "tie_word_embeddings": false}`, n), tensors...)
}

// compile parses and compiles a recipe, which must work.
func (b bench) compile(text string, opts Options) *Plan {
	b.Helper()
	docs, err := Parse([]byte(text))
	b.must(err)
	p, err := Compile(docs, opts)
	b.must(err)
	b.Cleanup(func() { p.Close() })
	return p
}

// fail compiles a recipe, which must not work, and returns the error.
func (b bench) fail(text string, opts Options) error {
	b.Helper()
	docs, err := Parse([]byte(text))
	if err != nil {
		return err
	}
	p, err := Compile(docs, opts)
	if err == nil {
		p.Close()
		b.Fatal("the recipe compiles, want an error")
	}
	return err
}

// value is the first element of a tensor of a merge.
func (b bench) value(p *Plan, name string) float32 {
	b.Helper()
	x, err := checkpoint.ReadAll(p.Merge(), name)
	b.must(err)
	return x[0]
}

// names are the output's tensors, joined.
func names(p *Plan) string {
	var all []string
	for _, t := range p.Tensors {
		all = append(all, t.Name)
	}
	return strings.Join(all, " ")
}

func (b bench) write(path, text string) {
	b.Helper()
	b.must(os.MkdirAll(filepath.Dir(path), 0o777))
	b.must(os.WriteFile(path, []byte(text), 0o666))
}

func near(a, b float32) bool { d := a - b; return d < 1e-5 && d > -1e-5 }
