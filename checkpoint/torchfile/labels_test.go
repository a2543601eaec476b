package torchfile

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// object is an instance of fairseq's class with attributes.
func object(attributes string) string {
	return name("fairseq.data.dictionary Dictionary") + ")\x81" + attributes + "b"
}

// taskState is a checkpoint whose task has dictionaries: those of an open list's items and its end.
func taskState(items string) string {
	return pairsOf("task_state", pairsOf("dictionaries", "]"+items))
}

// What fairseq's own objects hold, from both containers.
func TestLabels(t *testing.T) {
	want := [][]string{{"<s>", "<pad>", "</s>", "<unk>", "0", "1", "2"}, {"<s>", "<pad>", "</s>", "<unk>", "2", "0", "1"}}
	got, raw, err := Labels(read(t, "labels.bin"))
	if err != nil || raw || !reflect.DeepEqual(got, want) {
		t.Errorf("%q, raw %v, %v; want %q", got, raw, err, want)
	}
	if tensors, err := Parse(read(t, "labels.bin")); err != nil || len(tensors) != 1 || tensors[0].Name != "label_embs_concat" {
		t.Errorf("tensors %v, %v; want label_embs_concat", tensors, err)
	}
	old := legacy(taskState("("+object(pairsOf("symbols", "]("+str("a")+str("b")+"e"))+"e"), "]", "")
	if got, _, err := Labels(old); err != nil || !reflect.DeepEqual(got, [][]string{{"a", "b"}}) {
		t.Errorf("legacy: %q, %v; want a and b", got, err)
	}
}

func TestFilesWithoutLabels(t *testing.T) {
	for _, file := range []string{"fairseq.bin", "fairseq-legacy.bin", "lightning.bin", "types.bin", "tensor.bin"} {
		if got, _, err := Labels(read(t, file)); got != nil || err != nil {
			t.Errorf("%s: %q, %v; want none", file, got, err)
		}
	}
	for name, root := range map[string]string{
		"no state": pairsOf("model", "}"), "a state of another kind": pairsOf("task_state", "]"),
		"one dictionary": pairsOf("task_state", pairsOf("dictionaries", object(pairsOf("symbols", "]")))), "none": taskState("(e"),
	} {
		if got, _, err := Labels(only(root)); got != nil || err != nil {
			t.Errorf("%s: %q, %v; want none", name, got, err)
		}
	}
}

func TestLabelsOfAnotherForm(t *testing.T) {
	good := object(pairsOf("symbols", "]("+str("a")+"e"))
	for _, c := range []struct{ name, items, text string }{
		{"a dict", good + pairsOf("symbols", "]"), "dictionary 1: a dict, want an object"},
		{"no attributes", good + name("fairseq.data.dictionary Dictionary") + ")\x81", "dictionary 1: an object of fairseq.data.dictionary.Dictionary without attributes"},
		{"attributes of another kind", object("]"), "dictionary 0: an object of fairseq.data.dictionary.Dictionary without attributes"},
		{"no symbols", object(pairsOf("count", "]")), "has no list of symbols"},
		{"symbols of another kind", object(pairsOf("symbols", "}")), "has no list of symbols"},
		{"a number", object(pairsOf("symbols", "]("+str("a")+"K\x07e")), "symbol 1 is 7, want a string"},
		{"one of them over and over", object(pairsOf("symbols", "]("+strings.Repeat(str("a"), 30)+"e")) + "\x94" + strings.Repeat("h\x00", 100), "more symbols than the file has bytes"},
	} {
		got, _, err := Labels(only(taskState("(" + c.items + "e")))
		if e := (*Error)(nil); got != nil || !errors.As(err, &e) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %q, %v; want an Error with %q", c.name, got, err, c.text)
		}
	}
	if _, _, err := Labels([]byte("no file")); err == nil {
		t.Error("no file of torch.save: no error")
	}
}

// The switch is found wherever configurations of fairseq have kept it.
func TestRawLabels(t *testing.T) {
	const on, off = "\x88", "\x89"
	namespace := func(attributes string) string { return name("argparse Namespace") + ")\x81" + attributes + "b" }
	config := func(content string) string {
		return name("omegaconf.dictconfig DictConfig") + ")\x81" + pairsOf("_metadata", "N", "_content", content) + "b"
	}
	node := func(value string) string {
		return name("omegaconf.nodes AnyNode") + ")\x81" + pairsOf("_val", value) + "b"
	}
	for _, c := range []struct {
		name, root string
		want       bool
	}{
		{"dicts", pairsOf("cfg", pairsOf("task", pairsOf("numpy_memmap_label", on))), true},
		{"dicts, off", pairsOf("cfg", pairsOf("task", pairsOf("numpy_memmap_label", off))), false},
		{"a Namespace in a dict", pairsOf("cfg", pairsOf("task", namespace(pairsOf("numpy_memmap_label", on)))), true},
		{"omegaconf", pairsOf("cfg", config(pairsOf("task", config(pairsOf("numpy_memmap_label", node(on)))))), true},
		{"omegaconf, off", pairsOf("cfg", config(pairsOf("task", config(pairsOf("numpy_memmap_label", node(off)))))), false},
		{"arguments", pairsOf("cfg", "N", "args", namespace(pairsOf("numpy_memmap_label", on))), true},
		{"a number", pairsOf("cfg", pairsOf("task", pairsOf("numpy_memmap_label", "K\x01"))), false},
		{"elsewhere", pairsOf("cfg", pairsOf("model", pairsOf("numpy_memmap_label", on))), false},
		{"an object without attributes", pairsOf("cfg", name("omegaconf.dictconfig DictConfig")+")\x81"), false},
		{"no dict", "]", false},
	} {
		if symbols, raw, err := Labels(only(c.root)); symbols != nil || raw != c.want || err != nil {
			t.Errorf("%s: %q, raw %v, %v; want %v", c.name, symbols, raw, err, c.want)
		}
	}
}
