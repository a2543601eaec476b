package tokenizer

// The sources of an output's vocabulary that are not a model's name.
const (
	SourceUnion = "union" // the base's tokens, then what the others have beside them
	SourceBase  = "base"  // the base's tokens
)

// maxPad bounds the padding that a recipe may ask for.
const maxPad = 1 << 24

// Config is what a recipe says about the output's vocabulary: the key `tokenizer`, or with Source alone `tokenizer_source`.
type Config struct {
	Source          string // SourceUnion (also ""), SourceBase or the name of one of the models
	Tokens          []Token
	PadToMultipleOf int // rows are added up to a multiple of this; 0 for none
}

// Token says where one token's row comes from. A token that the vocabulary does not have is added to it, in the order of the
// list: mergekit's is the recipe's order.
type Token struct {
	Text   string
	Source TokenSource // for the models that do not have it
	Force  bool        // for those that do as well
}

// TokenSource is where a token's row comes from. The zero value is nowhere: an error once the row is needed.
type TokenSource struct {
	kind  kind
	model string
	token string
	id    int
}

type kind int

const (
	kindNone kind = iota
	kindModel
	kindToken
	kindID
	kindZero
)

// FromModel is a model's own row for the token.
func FromModel(model string) TokenSource { return TokenSource{kind: kindModel, model: model} }

// FromToken is a model's row for another token (mergekit's kind model_token).
func FromToken(model, token string) TokenSource {
	return TokenSource{kind: kindToken, model: model, token: token}
}

// FromID is a row of a model by its number (mergekit's kind model_token).
func FromID(model string, id int) TokenSource {
	return TokenSource{kind: kindID, model: model, id: id}
}

// FromZero is a row of zeros (mergekit's kind zero).
func FromZero() TokenSource { return TokenSource{kind: kindZero} }

// Model is one model of a merge.
type Model struct {
	Name      string
	Tokenizer *Tokenizer // nil: assumed to be the base's, as mergekit does, with a note
	VocabSize int        // of its config.json, see [VocabSize]; 0: as many as its tokenizer has
	Aside     bool       // not merged: it has no rows here, but its vocabulary can be the output's
}
