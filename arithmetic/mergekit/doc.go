// Package mergekit runs merge recipes: the YAML that users of mergekit write, with the same meaning, over any model.
//
//	recipes, err := mergekit.Parse(text)                   // strict: an unknown key names the nearest known one
//	plan, err := mergekit.Compile(recipes, options)        // from headers alone: every error of a recipe is found here
//	err = checkpoint.Write(ctx, out, plan.Merge(), ...)    // streams; or mert.Load(cfg, plan.Merge()), no file
//
// A [Plan] lists every output tensor with its inputs, method and resolved parameters; its [Merge] is a checkpoint.Source like
// any other. Recipes may name each other, so nested merges need no intermediate files.
//
// Beside models a recipe may name files of task vectors of its base_model, in any form of package taskvector: each stands for the model
// that it was taken from, and methods that work on differences read it as it is. Where many recipes over the same models are compiled
// one after another, [Models] keep the models open, and what methods found out about them.
//
// What was seen of a merge while it was written, beside its inputs, is an [Observer]'s.
//
// No list of architectures is needed. A model's tensors are taken as they are named; layers are recognised by the number in
// their names ([Stacks]), which gradients and slices need. The output has the tensors that the inputs have, and a difference
// between inputs is an error unless the options say what to do about it. The semantics are those of mergekit 0.1.5; what it
// silently ignores, loses or crashes on is an error or defined here, and said where it is.
package mergekit
