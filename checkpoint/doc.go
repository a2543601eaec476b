// Package checkpoint reads and writes model weights in the safetensors format and the directories that Hugging Face
// tools keep around them. It also reads what torch.save wrote (pytorch_model.bin and its like) without executing any of it.
//
// Everything with weights is a [Source]: a list of tensors, and reads by ranges converted to float32.
//
//   - To read a file, a model directory or a sharded set: [Open]. The file is mapped, not loaded; its header passes
//     strict rules before anything trusts a size in it. Package torchfile has those for files of torch.save.
//   - To hold tensors in memory: [NewMemory], with [NewIntegers] for integer tensors.
//   - To join, rename or filter sources: [Union], [Prefix], [Select].
//   - To look at one tensor: [Find], [ReadAll], [ReadIntegers].
//   - To write: [Write] for weights, [WriteAll] for several outputs in one pass over their inputs, [WriteFile] for small files.
//     All are atomic: a reader sees the old output or the whole new one, and a failure or a kill leaves the old one as it was.
//   - To name contents in a provenance record: [Hash] for all of a source, [Digests] for each tensor ([TensorDigest] defines them),
//     [HashFiles] for files as sha256sum does.
//   - To check a model fully, rule by rule: [Verify].
//   - To find a model that Hugging Face tools have downloaded: [ResolveHub].
//
// Errors about contents wrap [ErrInvalid], and [Rule] names the rule that is broken; a missing file wraps fs.ErrNotExist;
// an output that exists wraps fs.ErrExist.
//
// The format is 8 bytes of little-endian header length, a JSON header, then the tensors' bytes without holes. Files are
// judged as the Rust reference 0.8 judges them, but that no key may stand twice. Headers are parsed twice, by the strict
// scan here and by github.com/nlpodyssey/safetensors, and the two must agree: a file that two readers understand
// differently is refused (Trail of Bits' 2023 audit of safetensors describes why).
package checkpoint
