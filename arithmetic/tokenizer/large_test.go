package tokenizer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

// large makes a tokenizer.json of n tokens from number first on, with merges.
func large(first, n int) []byte {
	var b strings.Builder
	b.WriteString(`{"added_tokens":[{"id":0,"content":"<s>","special":true}],"model":{"type":"BPE","vocab":{"<s>":0`)
	for i := range n {
		fmt.Fprintf(&b, `,"token%d":%d`, first+i, i+1)
	}
	b.WriteString(`},"merges":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `["token%d","x"]`, first+i)
	}
	b.WriteString(`]}}`)
	return []byte(b.String())
}

// TestLarge: vocabularies as large as any are joined, cut and read without work that grows with their square, 10^10 steps here.
func TestLarge(t *testing.T) {
	const n = 100_000
	a, err := Load(inMemory(checkpoint.SideFile{Name: mainFile, Data: large(0, n)}))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Load(inMemory(checkpoint.SideFile{Name: mainFile, Data: large(n/2, n)}))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Build([]Model{{Name: "a", Tokenizer: a, VocabSize: n}, {Name: "b", Tokenizer: b}}, 0, Config{PadToMultipleOf: 64})
	if err != nil {
		t.Fatal(err)
	}
	// a's last token has no row and is cut: <s> and n-1 tokens of a, then n/2+1 that only b has.
	if want := (1 + n - 1 + n/2 + 1 + 63) / 64 * 64; m.Size() != want {
		t.Errorf("%d rows, want %d", m.Size(), want)
	}
	inputs := []Input{{0, weights(t, 1, "w", n, 1), "w"}, {1, weights(t, 2, "w", n+1, 1), "w"}}
	views, err := m.Align(inputs, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range views {
		if _, err := checkpoint.ReadAll(v, "w"); err != nil {
			t.Fatal(err)
		}
	}
	files, err := m.Files()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Load(inMemory(files...))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(again.Vocabulary(), m.Vocabulary()) {
		t.Error("the files have another vocabulary")
	}
}

func BenchmarkUnion(b *testing.B) {
	const n = 150_000
	var models []Model
	for i, text := range [][]byte{large(0, n), large(n/2, n)} {
		b.SetBytes(int64(len(text)))
		tok, err := Load(inMemory(checkpoint.SideFile{Name: mainFile, Data: text}))
		if err != nil {
			b.Fatal(err)
		}
		models = append(models, Model{Name: strconv.Itoa(i), Tokenizer: tok})
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Build(models, 0, Config{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	text := large(0, 150_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(inMemory(checkpoint.SideFile{Name: mainFile, Data: text})); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	m, inputs := wide(b, 2500)
	views, err := m.Align(inputs, -1)
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]float32, views[0].Tensors()[0].Elements())
	b.SetBytes(int64(4 * len(dst)))
	b.ReportAllocs()
	for b.Loop() {
		if err := views[0].Read("w", 0, dst); err != nil {
			b.Fatal(err)
		}
	}
}
