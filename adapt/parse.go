package adapt

import (
	"encoding/json"
	"fmt"

	"syncretic/checkpoint/recipe"
)

// ParseConfig reads a recipe from YAML. What it does not name keeps DefaultConfig's and DefaultTeacher's values.
func ParseConfig(doc []byte) (Config, error) {
	cfg := DefaultConfig()
	if err := recipe.Decode(doc, &cfg); err != nil {
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return cfg.checked()
}

// Marshal gives the recipe with every default filled in, as JSON: what is stored beside a result and what a resumed run is
// compared with.
func (c Config) Marshal() ([]byte, error) { return json.MarshalIndent(c, "", "  ") }
