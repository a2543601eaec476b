package tokenizer_test

import (
	"fmt"
	"os"
	"path/filepath"

	"syncretic/arithmetic/tokenizer"
	"syncretic/checkpoint"
)

// Two models of which one was taught two tokens more. The output has both, and the base gets the other's rows for them.
func Example() {
	var models []tokenizer.Model
	var inputs []tokenizer.Input
	for i, name := range []string{"base", "chat"} {
		dir := filepath.Join("testdata", "models", name)
		tok, err := tokenizer.Load(func(file string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, file)) })
		if err != nil {
			fmt.Println(err)
			return
		}
		weights, err := checkpoint.Open(dir)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer weights.Close()
		models = append(models, tokenizer.Model{Name: name, Tokenizer: tok})
		inputs = append(inputs, tokenizer.Input{Model: i, Source: weights, Name: "lm_head.weight"})
	}
	merged, err := tokenizer.Build(models, 0, tokenizer.Config{Source: tokenizer.SourceUnion})
	if err != nil {
		fmt.Println(err)
		return
	}
	views, err := merged.Align(inputs, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range merged.Vocabulary()[7:] {
		fmt.Println(e.ID, e.Token)
	}
	fmt.Println(views[0].Tensors()[0].Shape)
	// Output:
	// 7 abc
	// 8 <|im_start|>
	// 9 <|im_end|>
	// [10 4]
}

func ExampleChatTemplate() {
	text, err := tokenizer.ChatTemplate("auto", []string{"{{ a }}", "{{ b }}", "{{ b }}"})
	fmt.Println(text, err)
	// Output: {{ b }} <nil>
}
