package torchfile

import (
	"strings"
	"testing"
)

func TestRefusesPickles(t *testing.T) {
	var cases []refusal
	for _, c := range []struct{ name, ops, text string }{
		{"nothing made", "", "0 values"},
		{"two values", "}}", "left, want one value"},
		{"mark left", "(}", "left, want one value"},
		{"protocol", "\x80\x06}", "protocol 6, want 2 to 5"},
		{"text integer", "I1\n", "opcode 0x49 at byte 2: not an opcode that torch.save writes"},
		{"text persistent id", "P0\n", "opcode 0x50"},
		{"extension registry", "\x82\x01", "opcode 0x82"},
		{"buffer outside of the file", "\x97", "opcode 0x97"},
		{"no opcode", "\xff", "opcode 0xff"},
		{"frame beyond", "\x95" + le64(1<<40), "a frame of 1099511627776 bytes"},
		{"frame, largest", "\x95" + le64(-1), "18446744073709551615"},
		{"string beyond", "X" + le32(1<<30), "1073741824 bytes wanted"},
		{"string of 8 bytes' length", "\x8d" + le64(-1), "18446744073709551615 bytes wanted"},
		{"string of 2^63 bytes", "\x8d" + le64(-1<<63), "9223372036854775808 bytes wanted"},
		{"bytes of 8 bytes' length", "\x8e" + le64(-1), "18446744073709551615 bytes wanted"},
		{"byte array of 8 bytes' length", "\x96" + le64(1<<62), "4611686018427387904 bytes wanted"},
		{"bytes beyond", "B" + le32(-1), "4294967295 bytes wanted"},
		{"short bytes beyond", "C\xff", "255 bytes wanted"},
		{"python 2 string, negative length", "T" + le32(-1), "length -1"},
		{"long integer, negative length", "\x8b" + le32(-5), "length -5"},
		{"long integer, huge length", "\x8b" + le32(1<<31-1), "2147483647 bytes wanted"},
		{"long integer beyond", "\x8a\xff", "255 bytes wanted"},
		{"number cut", "J\x01", "4 bytes wanted"},
		{"float cut", "G\x01", "8 bytes wanted"},
		{"name without an end", "cos", "a line without an end"},
		{"name without a second line", "cos\nsystem", "a line without an end"},
		{"old object without an end", "(ios\nsystem", "a line without an end"},
		{"name of numbers", "K\x01K\x02\x93", "a name of 1 and 2, want two strings"},
		{"name of one", str("os") + "\x93", "2 values wanted, 1 on the stack"},
		{"pop of nothing", "0", "nothing on the stack"},
		{"pop to no mark", "1", "no mark"},
		{"copy of nothing", "2", "nothing on the stack"},
		{"tuple without a mark", "t", "no mark"},
		{"pair of one", "N\x86", "2 values wanted, 1 on the stack"},
		{"pair across a mark", "N(N\x86", "2 values wanted, 1 on the stack"},
		{"list without a mark", "l", "no mark"},
		{"append to nothing", "a", "nothing on the stack"},
		{"append to a dict", "}Na", "cannot be done to a dict"},
		{"append to a number", "K\x01Na", "cannot be done to 1"},
		{"appends across a mark", "](((e", "nothing on the stack"},
		{"key without a value", "}(Nu", "a key without a value"},
		{"dict of three", "(NNNd", "a key without a value"},
		{"item of a list", "]NNs", "cannot be done to a list"},
		{"item of nothing", "NNs", "nothing on the stack"},
		{"attributes of a number", "K\x01}b", "cannot be done to 1"},
		{"memo never set", "h\x00", "memo index 0 was never set"},
		{"memo index that was skipped", "}q\x01h\x00", "memo index 0 was never set"},
		{"memo index beyond", "}r" + le32(-1), "memo index 4294967295, want at most 1"},
		{"memo index two further", "}q\x02", "memo index 2, want at most 1"},
		{"memo of nothing", "q\x00", "nothing on the stack"},
		{"long memo index never set", "j" + le32(-1), "memo index 4294967295 was never set"},
		{"memo behind a mark", "}(\x94", "nothing on the stack"},
		{"call of a number", "K\x01)R", "1 is called"},
		{"call without a tuple", name("os system") + "]R", "called with a list"},
		{"call of nothing", ")R", "2 values wanted"},
		{"object of nothing", "(o", "nothing to call"},
		{"object of a string", "(" + str("x") + "o", `"x" is called`},
		{"object with named arguments, of two", name("os system") + ")\x92", "3 values wanted"},
		{"persistent id of nothing", "Q", "nothing on the stack"},
		{"storage of a negative count", stored("torch FloatStorage", "0", -1), "with -1 elements"},
		{"storage of a number for its class", "(" + str("storage") + "K\x01" + str("0") + str("cpu") + "K\x01tQ", "of class 1"},
		{"storage of a long count", "(" + str("storage") + name("torch FloatStorage") + str("0") + str("cpu") + "\x8a\x09123456789tQ", "a long integer elements"},
		{"storage of a number for its key", "(" + str("storage") + name("torch FloatStorage") + "K\x01" + str("cpu") + "K\x01tQ", "storage 1"},
		{"storage of a long key", stored("torch FloatStorage", strings.Repeat("k", 256), 1), "storage \"kkk"},
		{"storage twice, of other classes", stored("torch FloatStorage", "0", 1) + stored("torch HalfStorage", "0", 1), "but 1 of torch.FloatStorage before"},
		{"storage twice, of other counts", stored("torch FloatStorage", "0", 1) + stored("torch FloatStorage", "0", 2), "2 elements of torch.FloatStorage, but 1"},
	} {
		cases = append(cases, refusal{c.name, only(c.ops), RulePickle, c.text})
	}
	for _, cut := range []string{"", proto, proto + "}", proto + "}(", "\x80"} {
		cases = append(cases, refusal{"cut", archive(cut), RulePickle, ""})
	}
	check(t, cases)
}

func TestRefusesContents(t *testing.T) {
	w := floats(4)
	check(t, []refusal{
		{"tensors too deep", read(t, "deep.bin"), RuleContents, `the top level has "net" (a dict), "epoch" (1)`},
		{"a tensor", read(t, "tensor.bin"), RuleContents, "holds a tensor, want a state dict"},
		{"a module", read(t, "object.bin"), RuleContents, "holds an object of torch.nn.modules.linear.Linear"},
		{"an optimiser beside", read(t, "nested.bin"), RuleContents, `tensor "optimizer": a dict with tensors in it`},
		{"nothing", only("}"), RuleContents, "the top level has nothing"},
		{"many keys", only(pairsOf("a", "N", "b", "N", "c", "N", "d", "N", "e", "N", "f", "N", "g", "N", "h", "N", "i", "N")), RuleContents, `"h" (None), 1 more`},
		{"name twice", model("w", w, "w", w), RuleContents, `tensor "w": appears twice`},
		{"number for a name", archive(proto+"}K\x01"+w+"s.", "0", ""), RuleContents, "key 1 among the tensors"},
		{"bytes for a name", archive(proto+"}U\x01\xff"+w+"s.", "0", ""), RuleContents, "key a number or bytes among"},
		{"list of tensors beside", model("w", w, "x", "]"+w+"a"), RuleContents, `"x": a list with tensors in it`},
		{"tuple of tensors beside", model("w", w, "x", w+"\x85"), RuleContents, `"x": a tuple with tensors in it`},
		{"set of tensors beside", model("w", w, "x", "\x8f("+w+"\x90"), RuleContents, `"x": a list with tensors in it`},
		{"storage beside", model("w", w, "x", stored("torch FloatStorage", "0", 4)), RuleContents, `"x": a storage`},
		{"dict in itself, with tensors", archive(proto+"}q\x00("+str("me")+"h\x00"+str("w")+w+"u.", "0", ""), RuleContents, `tensor "me": a dict with tensors in it`},
		{"object with tensors beside", model("w", w, "x", called("m Packed", w)), RuleClass, `"x": an object of m.Packed`},
		{"object that gets tensors", model("w", w, "x", called("m Packed")+"}"+str("t")+w+"sb"), RuleClass, `"x": an object of m.Packed`},
		{"object that lists tensors", model("w", w, "x", called("collections deque")+w+"a"), RuleClass, "collections.deque"},
		{"numpy array beside", model("w", w, "x", called("numpy._core.multiarray _reconstruct", name("numpy ndarray"))), RuleClass, "numpy._core.multiarray._reconstruct"},
		{"sparse", read(t, "sparse.bin"), RuleClass, `tensor "s": an object of torch._utils._rebuild_sparse_tensor`},
		{"quantised", read(t, "quantized.bin"), RuleClass, `tensor "q": an object of torch._utils._rebuild_qtensor`},
		{"without data", read(t, "meta.bin"), RuleClass, `tensor "m": an object of torch._utils._rebuild_meta_tensor_no_storage`},
		{"128-bit complex", read(t, "complex128.bin"), RuleDType, "torch.ComplexDoubleStorage"},
		{"conjugated", read(t, "conjugated.bin"), RuleTensor, "conjugated or negated"},
	})
}

func TestRefusesTensors(t *testing.T) {
	s := stored("torch FloatStorage", "0", 4)
	v3 := func(args ...string) string {
		return called("torch._utils _rebuild_tensor_v3", append([]string{stored("torch.storage UntypedStorage", "0", 16), num(0), nums(4), nums(1), "\x89", "N"}, args...)...)
	}
	shared := called("torch._utils _rebuild_tensor_v2", s, num(0), nums(4), nums(1), "\x89", "N", pairsOf("neg", "\x88"))
	var cases []refusal
	for _, c := range []struct{ name, tensor, rule, text string }{
		{"three arguments", called("torch._utils _rebuild_tensor_v2", s, num(0), nums(4)), RuleTensor, "with 3 arguments"},
		{"no storage", rebuilt("N", 0, nums(4), nums(1)), RuleTensor, "made from None, want a storage"},
		{"object for a storage", rebuilt(called("os system"), 0, nums(4), nums(1)), RuleClass, "made from an object of os.system"},
		{"bytes for a storage", rebuilt(called("torch.storage _load_from_bytes", "C\x01a"), 0, nums(4), nums(1)), RuleClass, "torch.storage._load_from_bytes"},
		{"negative offset", rebuilt(s, -1, nums(1), nums(1)), RuleTensor, "storage offset -1"},
		{"offset beyond", rebuilt(s, 4, nums(1), nums(1)), RuleTensor, "reaches beyond its storage of 4"},
		{"largest offset", rebuilt(s, 1<<63-1, nums(2), nums(1<<62)), RuleTensor, "reaches beyond"},
		{"negative dimension", rebuilt(s, 0, nums(-4), nums(1)), RuleTensor, "shape: -4, want whole numbers"},
		{"negative stride", rebuilt(s, 3, nums(4), nums(-1)), RuleTensor, "strides: -1, want whole numbers"},
		{"long dimension", rebuilt(s, 0, "\x8a\x09123456789\x85", nums(1)), RuleTensor, "shape: a long integer"},
		{"true for a dimension", rebuilt(s, 0, "\x88\x85", nums(1)), RuleTensor, "shape: true"},
		{"number for a shape", rebuilt(s, 0, num(4), nums(1)), RuleTensor, "shape: 4, want a tuple"},
		{"object for strides", rebuilt(s, 0, nums(4), called("os system")), RuleTensor, "strides: an object of os.system"},
		{"strides of another rank", rebuilt(s, 0, nums(2, 2), nums(1)), RuleTensor, "1 strides for 2 dimensions"},
		{"many dimensions", rebuilt(s, 0, nums(make([]int, 65)...), nums(make([]int, 65)...)), RuleTensor, "65 dimensions, want at most 64"},
		{"larger than its storage", rebuilt(s, 0, nums(5), nums(1)), RuleTensor, "shape [5] with strides [1] and offset 0 reaches beyond its storage of 4"},
		{"strides beyond its storage", rebuilt(s, 0, nums(2, 2), nums(3, 1)), RuleTensor, "reaches beyond"},
		{"elements overflow", rebuilt(s, 0, nums(1<<32, 1<<32), nums(0, 0)), RuleTensor, "more elements than 64 bits count"},
		{"elements overflow before a 0", rebuilt(s, 0, nums(1<<62, 4, 0), nums(0, 0, 0)), RuleTensor, "more elements than 64 bits count"},
		{"extent overflows", rebuilt(s, 0, nums(3, 3), nums(1<<62, 1<<62)), RuleTensor, "reaches beyond"},
		{"expanded to 2^60", rebuilt(s, 0, nums(1<<60), nums(0)), RuleTensor, "to more than the file's length"},
		{"expanded a little too far", rebuilt(s, 0, nums(1000), nums(0)), RuleTensor, "to more than the file's length"},
		{"many long numbers", rebuilt(s, 0, nums(1<<61, 1, 1, 1, 1, 1, 1, 1, 1, 1), nums(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)), RuleTensor, "[2305843009213693952 1 1 1 1 1 1 1 and 2 more]"},
		{"negated", shared, RuleTensor, "conjugated or negated"},
		{"no dtype", v3(), RuleTensor, "without a dtype"},
		{"number for a dtype", v3(num(1)), RuleTensor, "without a dtype"},
		{"dtype of 128 bits", v3(name("torch complex128")), RuleDType, "torch.complex128"},
		{"dtype of 4 bits", v3(name("torch float4_e2m1fn_x2")), RuleDType, "torch.float4_e2m1fn_x2"},
		{"class for a dtype", v3(name("os system")), RuleDType, "os.system"},
		{"dtype wider than the storage", v3(name("torch float64")), RuleTensor, "storage of 2 elements"},
		{"unknown storage class", rebuilt(stored("torch FooStorage", "0", 4), 0, nums(4), nums(1)), RuleDType, "torch.FooStorage"},
		{"storage class of another module", rebuilt(stored("evil FloatStorage", "0", 4), 0, nums(4), nums(1)), RuleDType, "evil.FloatStorage"},
		{"storage that is missing", rebuilt(stored("torch FloatStorage", "1", 4), 0, nums(4), nums(1)), RuleStorage, `no "a/data/1"`},
		{"storage outside of data", rebuilt(stored("torch FloatStorage", "../data.pkl", 4), 0, nums(4), nums(1)), RuleStorage, `no "a/data/../data.pkl"`},
		{"storage shorter than said", rebuilt(stored("torch FloatStorage", "0", 5), 0, nums(4), nums(1)), RuleStorage, "5 elements of 4 bytes, but 16 bytes are stored"},
		{"storage longer than said", rebuilt(stored("torch FloatStorage", "0", 3), 0, nums(3), nums(1)), RuleStorage, "3 elements of 4 bytes, but 16 bytes"},
		{"storage of 2^62", rebuilt(stored("torch FloatStorage", "0", 1<<62), 0, nums(3), nums(1)), RuleStorage, "4611686018427387904 elements of 4 bytes"},
		{"storage of 2^62 that overflows to 16", rebuilt(stored("torch FloatStorage", "0", 1<<62+4), 0, nums(3), nums(1)), RuleStorage, "4611686018427387908 elements"},
	} {
		cases = append(cases, refusal{c.name, model("w", c.tensor), c.rule, c.text})
	}
	check(t, cases)
}
