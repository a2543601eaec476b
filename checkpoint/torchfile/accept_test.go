package torchfile

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// Files that PyTorch 2 does not write any more, or not by itself.
func TestAccepts(t *testing.T) {
	four := strings.Repeat("\x00", 16)
	w := floats(4)
	for _, c := range []struct {
		name string
		file []byte
		want []string
	}{
		{"plain", model("w", w), []string{"w"}},
		{"no tensors chosen beside others", model("w", w, "epoch", num(3), "args", pairsOf("lr", "G"+le64(0))), []string{"w"}},
		{"state_dict before model", model("model", pairsOf("m", w), "state_dict", pairsOf("s", w)), []string{"s"}},
		{"model where state_dict has none", model("model", pairsOf("m", w), "state_dict", pairsOf("s", "N")), []string{"m"}},
		{"oldest tensor", model("w", called("torch._utils _rebuild_tensor", stored("torch FloatStorage", "0", 4), num(0), nums(4), nums(1))), []string{"w"}},
		{"size class", model("w", rebuilt(stored("torch FloatStorage", "0", 4), 0, called("torch Size", nums(2, 2)), nums(2, 1))), []string{"w"}},
		{"untyped storage", model("w", rebuilt(stored("torch.storage UntypedStorage", "0", 16), 0, nums(16), nums(1))), []string{"w"}},
		{"tensor in memo, twice", archive(proto+"}"+str("a")+w+"q\x00s"+str("b")+"h\x00s.", "0", four), []string{"a", "b"}},
		{"python 2: list of pairs, memo from 1, byte strings", archive(proto+"ccollections\nOrderedDict\nq\x01(]q\x02]q\x03(U\x01a"+w+"eatR.", "0", four), []string{"a"}},
		{"dict opcode", archive(proto+"("+str("a")+w+"d.", "0", four), []string{"a"}},
		{"old ways to make objects", model("w", w, "x", "(i__main__\nA\n", "y", "(c__main__\nB\no", "z", name("m C")+")}\x92", "f", name("m f")+")R)R"), []string{"w"}},
		{"every harmless value", model("w", w, "x", "(NG12345678\x88\x89K\x01M\x01\x01J\x01\x00\x00\x00\x8a\x00\x8a\x01\xff\x8b\x09\x00\x00\x00123456789U\x01aT\x01\x00\x00\x00aC\x01\xffB\x01\x00\x00\x00a"+
			"\x8c\x01a\x8d"+le64(1)+"a\x8e"+le64(1)+"a\x96"+le64(1)+"a\x8f(K\x01\x90(K\x01\x91](K\x01e]K\x01a)K\x01\x85K\x01K\x02\x86K\x01K\x02K\x03\x87}\x94(K\x01ltK\x01200(K\x011(0"), []string{"w"}},
		{"attributes of dicts, tensors and objects", archive(proto+"ccollections\nOrderedDict\n)R("+str("w")+w+"}bu}"+str("_metadata")+"}sb.", "0", four), []string{"w"}},
		{"protocol 4", archive("\x80\x04\x95"+le64(2)+"}("+str("w")+w+str("x")+"\x8c\x02os\x8c\x06system\x93"+str("true")+"\x85R"+"u.", "0", four), []string{"w"}},
		{"source code of a module, as old files have it", model("w", w, "x", "("+str("module")+name("m A")+str("a.py")+str("class A")+"tQ"), []string{"w"}},
		{"no elements, whatever the strides", model("w", rebuilt(stored("torch FloatStorage", "0", 4), 9, nums(0, 5), nums(1<<62, 1<<62))), []string{"w"}},
		{"legacy", legacy(pairsOf("w", legacyFloats("k", 4, "N")), "]"+str("k")+"a", le64(4)+four), []string{"w"}},
		{"legacy, part of a storage", legacy(pairsOf("w", rebuilt("("+str("storage")+name("torch FloatStorage")+str("k")+str("cpu")+num(4)+"("+str("v")+num(1)+num(2)+"ttQ", 1, nums(1), nums(1))),
			"]"+str("k")+"a", le64(4)+strings.Repeat("\x00", 8)+"abcd"+"\x00\x00\x00\x00"), []string{"w"}},
		{"list in itself", model("w", w, "x", "]q\x00h\x00a"), []string{"w"}},
		{"dicts in each other", model("w", w, "x", "}q\x00"+str("y")+"}q\x01"+str("x")+"h\x00ss"), []string{"w"}},
	} {
		tensors, err := Parse(c.file)
		var names []string
		for _, tensor := range tensors {
			names = append(names, tensor.Name)
		}
		if err != nil || !slices.Equal(names, c.want) {
			t.Errorf("%s: %q, %v; want %q", c.name, names, err, c.want)
		}
		if strings.Contains(c.name, "part of") && string(tensors[0].Bytes) != "abcd" {
			t.Errorf("%s: %q, want \"abcd\"", c.name, tensors[0].Bytes)
		}
	}
}

// What a file asks to call is not called, and nothing can be made of it.
func TestNothingIsCalled(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, function := range []string{"os system", "posix system", "builtins eval", "builtins exec", "subprocess Popen", "webbrowser open", "torch.hub load", "torch load", "numpy load", "pickle loads"} {
		evil := called(function, str("touch pwned"))
		tensors, err := Parse(model("w", floats(4), "x", evil))
		if err != nil || len(tensors) != 1 || tensors[0].Name != "w" {
			t.Errorf("%s beside a tensor: %v, %v; want the tensor alone", function, tensors, err)
		}
		for _, made := range []string{evil, rebuilt(evil, 0, nums(4), nums(1)), called("torch._utils _rebuild_parameter", evil), rebuilt(stored("torch FloatStorage", "0", 4), 0, evil, nums(1)),
			called(function, floats(4)), called("torch._tensor _rebuild_from_type_v2", name(function), name("torch Tensor"), "("+stored("torch FloatStorage", "0", 4)+"t", "N")} {
			tensors, err := Parse(model("w", made))
			if err == nil || len(tensors) > 0 || !strings.Contains(err.Error(), strings.Replace(function, " ", ".", 1)) && !strings.Contains(err.Error(), "_rebuild_parameter") && !strings.Contains(err.Error(), "torch.Tensor") {
				t.Errorf("%s: %v, %v; want an error that names it", function, tensors, err)
			}
		}
	}
	if list, err := os.ReadDir("."); err != nil || len(list) > 0 {
		t.Errorf("something was made: %v, %v", list, err)
	}
}
