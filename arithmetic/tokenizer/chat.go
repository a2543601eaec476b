package tokenizer

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"syncretic/checkpoint"
)

// templates are the formats that a recipe can name, written from the formats' public definitions: Jinja, as the files
// chat_template.jinja of model directories are.
//
//go:embed templates/*.jinja
var templates embed.FS

// templateAuto asks for the template that most of the models have.
const templateAuto = "auto"

// TemplateNames lists the formats that a recipe can name.
func TemplateNames() []string { return []string{"alpaca", "chatml", "exaone", "llama3", "mistral"} }

// Template reads a model's chat template: chat_template.jinja, or what tokenizer_config.json has; of several that are named, the
// one named default. It is "" for a model that has none. files is as for [Load], but tokenizer.json is not needed.
func Template(files func(name string) ([]byte, error)) (string, error) {
	text, err := files(chatFile)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return string(text), err
	}
	if text, err = files(configFile); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	config, err := parseObject(text)
	if err != nil {
		return "", fmt.Errorf("%s: %w", configFile, err)
	}
	value, ok := config.get("chat_template")
	if !ok {
		return "", nil
	}
	template, err := defaultTemplate(value)
	if err != nil {
		return "", fmt.Errorf("%s: chat_template: %w", configFile, err)
	}
	return template, nil
}

// defaultTemplate reads a template's text, [{name, template}, ...] or {name: template}.
func defaultTemplate(value json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text, nil
	}
	if value[0] == '{' {
		named, err := parseObject(value)
		return named.text("default"), err
	}
	var list []struct{ Name, Template string }
	if err := json.Unmarshal(value, &list); err != nil {
		return "", malformed(err)
	}
	for _, t := range list {
		if t.Name == "default" {
			return t.Template, nil
		}
	}
	return "", nil
}

// ChatTemplate is the template that a recipe's chat_template means: one of [TemplateNames], Jinja text, or auto for the one that
// most models have (stripped of white space around it; of equally many, that of the first model). "" means that there is
// nothing to set. models are the models' own, in the recipe's order.
func ChatTemplate(setting string, models []string) (string, error) {
	switch {
	case setting == "":
		return "", nil
	case setting == templateAuto:
		return mostCommon(models), nil
	case slices.Contains(TemplateNames(), setting):
		text, err := templates.ReadFile("templates/" + setting + ".jinja")
		return strings.TrimSuffix(string(text), "\n"), err
	case !strings.Contains(setting, "{") || len(setting) < 20:
		return "", wrong("chat_template %q: want auto, one of %s, or the text of a Jinja template", setting, strings.Join(TemplateNames(), ", "))
	}
	return setting, nil
}

func mostCommon(templates []string) (best string) {
	count := make(map[string]int)
	for _, t := range templates {
		if t = strings.TrimSpace(t); t != "" {
			count[t]++
		}
	}
	for _, t := range templates { // in this order, so that the first of equals wins
		if t = strings.TrimSpace(t); count[t] > count[best] {
			best = t
		}
	}
	return best
}

// SetChatTemplate edits a model's side files: chat_template.jinja becomes the template, as transformers writes it, and a
// tokenizer_config.json that has one of its own gets the same, for readers that know only that place. It returns the files that
// changed. Without a tokenizer_config.json there is nothing to set a template for: that is an error.
func SetChatTemplate(files []checkpoint.SideFile, template string) ([]checkpoint.SideFile, error) {
	if template == "" {
		return nil, nil
	}
	i := slices.IndexFunc(files, func(f checkpoint.SideFile) bool { return f.Name == configFile })
	if i < 0 {
		return nil, wrong("chat_template: the output has no %s", configFile)
	}
	config, err := parseObject(files[i].Data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", configFile, err)
	}
	changed := []checkpoint.SideFile{{Name: chatFile, Data: []byte(template)}}
	if _, ok := config.get("chat_template"); ok {
		text, err := config.with("chat_template", quote(template)).indent()
		if err != nil {
			return nil, err
		}
		changed = append(changed, checkpoint.SideFile{Name: configFile, Data: text})
	}
	return changed, nil
}
