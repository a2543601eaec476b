// Package taskvector stores task vectors as files in three forms, and reads them all as one: dense, sparse and of low rank.
//
//   - To store one: [Encode] the difference that package arithmetic's Sub gives, and write the result with checkpoint.Write.
//   - To read one: [Decode] an opened file. What comes back is a checkpoint.Source of the dense tensors, whatever the form, and
//     costs a few blocks of memory a reader; arithmetic's Combine and Interference take it like any other.
//   - To say what a form lost: [Lost].
//
// # Files
//
// A file is safetensors. Its metadata has [FormKey], [VersionKey] and what arithmetic's Provenance says of base and tuned model;
// a file with neither key is dense, as those before the keys were. Floats are F32, BF16 or F16, whichever was asked for; a reader
// takes any floats, so that checkpoint's tools may convert a file. Integer tensors are no part of a vector.
//
// The dense form has each tensor under its own name. In the others each stored name is that of a tensor and, after a last
// point, of a part; so no two clash, and the parts that are there say how the tensor is kept:
//
//	NAME.dense    the tensor itself: where neither of the others would be smaller
//
//	NAME.shape    I64  [dimensions]  the tensor's shape; it has n elements, in row-major order
//	NAME.octets   U8   [⌈n/64⌉]      bit i, lowest bits first: of elements 8i to 8i+7 at least one is kept
//	NAME.mask     U8   [set bits of octets]  for each such octet which of its elements are kept, lowest bits first
//	NAME.values   F    [set bits of mask]    the kept elements in order; all others are 0
//
//	NAME.left     F    [out][r]      the tensor, seen as [out][rest], is left · right
//	NAME.right    F    [r][rest...]  r may be 0: a tensor of zeros
//
// In NumPy a sparse tensor is
//
//	some = np.unpackbits(octets, bitorder="little").astype(bool)
//	bits = np.zeros(some.size, np.uint8); bits[some] = mask
//	kept = np.unpackbits(bits, bitorder="little").astype(bool)
//	dense = np.zeros(kept.size, np.float32); dense[kept] = values
//	dense = dense[:np.prod(shape, dtype=int)].reshape(shape)
//
// Positions are a bitmap of two levels because one form is then near the least for every density in use. In bits a weight, beside
// the values:
//
//	density               0.5    0.2    0.1    0.05   0.01   0.001
//	two levels            1.12   0.96   0.69   0.46   0.20   0.13
//	plain bitmap          1      1      1      1      1      1
//	positions as U32      16     6.4    3.2    1.6    0.32   0.03
//	entropy, the least    1      0.72   0.47   0.29   0.08   0.01
//
// And there is nothing in it that could be unsorted, twice there, or out of range.
package taskvector
