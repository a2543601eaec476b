// Package tokenizer merges vocabularies: it gives models whose tokenizers differ embeddings with the same rows, one a token.
//
//   - To read a model's tokenizer: [Load]. It wants tokenizer.json, the format of Hugging Face's fast tokenizers.
//   - To decide the output's vocabulary, and which row of which model each of its tokens has: [Build].
//   - To see the models' embeddings with the rows of that vocabulary, read lazily: [Merged.Align].
//   - To write the output's tokenizer: [Merged.Files], with [Merged.Replaces] for what it makes stale.
//   - To find which tensors have a row a token: [Tensors], with [VocabSize] for what config.json says.
//   - To choose the output's chat template: [Template], [ChatTemplate], [SetChatTemplate].
//
// The rules are mergekit's (`tokenizer`, `tokenizer_source`, `chat_template`). The output's vocabulary is a model's, or the
// union: the base's tokens with their ids, then what the other models have beside them, then the added tokens. A model that has
// a token keeps its row for it. One that has not gets the base's row, else that of the only model that has it, else the mean
// over those that do; a recipe may say otherwise for single tokens. Rows that no token of a model names, such as the padding of
// Qwen's embeddings, are left out: [Merged.Notes] says which.
//
// Unlike mergekit's, the ids of new tokens are the same in every run: they follow the models' order and then the ids there,
// where mergekit follows the order of a hash table. Where mergekit fails (a token beyond a model's last row, a vocabulary with
// gaps, a vocabulary to cut that is not BPE) the token counts as one that the model does not have, and the notes say so.
//
// Errors about contents wrap [checkpoint.ErrInvalid], those about what a recipe asks for [ErrConfig]; a model without a
// tokenizer wraps fs.ErrNotExist.
package tokenizer
