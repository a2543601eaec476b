package tokenizer

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

func TestChatTemplate(t *testing.T) {
	const jinja = `{% for m in messages %}{{ m['content'] }}{% endfor %}`
	for _, test := range []struct {
		setting string
		models  []string
		want    string
	}{
		{"", []string{"x"}, ""},
		{"auto", nil, ""},
		{"auto", []string{"", " "}, ""},
		{"auto", []string{"x", "y", " y\n"}, "y"},
		{"auto", []string{"", "x", "y"}, "x"},
		{jinja, []string{"x"}, jinja},
	} {
		if got, err := ChatTemplate(test.setting, test.models); err != nil || got != test.want {
			t.Errorf("%q of %q: %q, %v, want %q", test.setting, test.models, got, err, test.want)
		}
	}
	for _, bad := range []string{"chatlm", "{{ x }}", "a long text that is no template"} {
		if got, err := ChatTemplate(bad, nil); !errors.Is(err, ErrConfig) {
			t.Errorf("%q: %q, %v", bad, got, err)
		}
	}
	entries, err := os.ReadDir("templates")
	if err != nil || len(entries) != len(TemplateNames()) {
		t.Fatalf("%d templates, %d names (%v)", len(entries), len(TemplateNames()), err)
	}
	for name, mark := range map[string]string{"alpaca": "### Instruction:", "chatml": "<|im_start|>", "exaone": "[|endofturn|]", "llama3": "<|eot_id|>", "mistral": "[/INST]"} {
		text, err := ChatTemplate(name, nil)
		if err != nil || !strings.Contains(text, mark) || !slices.Contains(TemplateNames(), name) {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

func TestTemplateOfModel(t *testing.T) {
	for _, test := range []struct {
		files []checkpoint.SideFile
		want  string
	}{
		{nil, ""},
		{[]checkpoint.SideFile{file(configFile, `{}`)}, ""},
		{[]checkpoint.SideFile{file(configFile, `{"chat_template":"x"}`)}, "x"},
		{[]checkpoint.SideFile{file(configFile, `{"chat_template":"x"}`), file(chatFile, "y")}, "y"},
		{[]checkpoint.SideFile{file(configFile, `{"chat_template":[{"name":"tool","template":"t"},{"name":"default","template":"d"}]}`)}, "d"},
		{[]checkpoint.SideFile{file(configFile, `{"chat_template":{"default":"d"}}`)}, "d"},
		{[]checkpoint.SideFile{file(configFile, `{"chat_template":[]}`)}, ""},
	} {
		if got, err := Template(inMemory(test.files...)); err != nil || got != test.want {
			t.Errorf("%s: %q, %v, want %q", test.files, got, err, test.want)
		}
	}
	for _, bad := range []string{`[]`, `{"chat_template":5}`, `{`} {
		if _, err := Template(inMemory(file(configFile, bad))); !errors.Is(err, checkpoint.ErrInvalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := Template(func(string) ([]byte, error) { return nil, fs.ErrPermission }); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

func TestSetChatTemplate(t *testing.T) {
	plain, own := file(configFile, `{"bos_token":"<s>"}`), file(configFile, `{"chat_template":"old","bos_token":"<s>"}`)
	for _, test := range []struct {
		files []checkpoint.SideFile
		want  []string
	}{{[]checkpoint.SideFile{plain}, []string{chatFile}}, {[]checkpoint.SideFile{own, file(chatFile, "old")}, []string{chatFile, configFile}}} {
		changed, err := SetChatTemplate(test.files, "<new>")
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range changed {
			names = append(names, f.Name)
			if got, err := Template(inMemory(f)); err != nil || got != "<new>" {
				t.Errorf("%s has the template %q (%v)", f.Name, got, err)
			}
		}
		if !slices.Equal(names, test.want) {
			t.Errorf("%q, want %q", names, test.want)
		}
	}
	if changed, err := SetChatTemplate(nil, ""); err != nil || changed != nil {
		t.Errorf("nothing to set: %v, %v", changed, err)
	}
	if _, err := SetChatTemplate(nil, "x"); !errors.Is(err, ErrConfig) {
		t.Errorf("no tokenizer: %v", err)
	}
}
