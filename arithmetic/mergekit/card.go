package mergekit

import (
	"bytes"
	"fmt"
	"strings"

	"syncretic/arithmetic/method"
	"syncretic/checkpoint"
)

// Card is the model card of a merge, README.md, as Hugging Face shows it: what was merged, how, and the recipe. Names of models
// that look like hub names are listed under base_model, so that the hub links them.
func (p *Plan) Card(recipe []byte) checkpoint.SideFile {
	var b bytes.Buffer
	b.WriteString("---\n")
	var hub []string
	for _, m := range p.Models {
		if m.Name != m.Path && hubName(m.Name) && strings.Contains(m.Name, "/") {
			hub = append(hub, m.Name)
		}
	}
	if len(hub) > 0 {
		b.WriteString("base_model:\n")
		for _, name := range hub {
			fmt.Fprintf(&b, "- %s\n", name)
		}
	}
	b.WriteString("library_name: transformers\ntags:\n- merge\n- mergekit\n- syncretic\n---\n\n")
	fmt.Fprintf(&b, "# Merged model\n\nA merge by %s of\n\n", link(p.Method))
	for _, m := range p.Models {
		fmt.Fprintf(&b, "- %s\n", m.Name)
	}
	if p.Recipe.Base != nil {
		fmt.Fprintf(&b, "\nwith %s as the base", p.Recipe.Base)
	} else {
		b.WriteString("\nwithout a base")
	}
	fmt.Fprintf(&b, "; config and tokenizer are %s's. `merge.lock.json` holds the inputs' hashes and what else makes it again.\n\n```yaml\n%s\n```\n",
		p.Donor, bytes.TrimSpace(recipe))
	return checkpoint.SideFile{Name: "README.md", Data: b.Bytes()}
}

// link is a method's name with its paper behind it.
func link(m *method.Method) string {
	if m.Paper == "" {
		return m.Name
	}
	return fmt.Sprintf("[%s](%s)", m.Name, m.Paper)
}
