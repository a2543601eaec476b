// Package lora reads, applies and extracts low-rank adapters (Hu et al. 2021, arXiv 2106.09685) in the format of Hugging Face's PEFT:
// a directory with adapter_config.json and adapter_model.safetensors, or .bin.
//
//   - To read one: [Open].
//   - To merge it into its base: [Apply], a lazy [checkpoint.Source] of base + strength · s · B·A, in the base's dtypes.
//   - To make one of a base and a tuned model: [Extract], by a truncated singular value decomposition of each task vector.
//
// What an adapter says of modules that cannot be added to weights (DoRA, experts' parameters, initialisations that change the base)
// is an error, as is a tensor that finds no place in the base: nothing is left out in silence. Errors about contents wrap
// [checkpoint.ErrInvalid].
package lora
