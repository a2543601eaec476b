package metric_test

import (
	"encoding/json"
	"fmt"

	"syncretic/probe/metric"
)

func ExampleMultiLabel() {
	scores := [][]float64{{0.9, 0.3}, {0.6, 0.7}, {0.2, 0.4}, {0.7, 0.8}}
	labels := [][]bool{{true, false}, {false, true}, {false, false}, {true, false}}
	result, err := metric.MultiLabel(scores, labels, 0.5)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("ROC-AUC %.3f, mAP %.3f, micro-F1 %.3f\n", result.ROCAUC.Macro, result.AveragePrecision.Macro, result.F1.Micro)
	// Output: ROC-AUC 0.833, mAP 0.750, micro-F1 0.750
}

func ExampleROCAUC() {
	// The second tag has no positive item: it is undefined and left out of the mean.
	auc, err := metric.ROCAUC([][]float64{{0.9, 0.3}, {0.6, 0.7}}, [][]bool{{true, false}, {false, false}})
	if err != nil {
		fmt.Println(err)
		return
	}
	doc, _ := json.Marshal(auc)
	fmt.Println(string(doc))
	// Output: {"macro":1,"micro":1,"per_tag":[1,null],"left_out":1}
}

func ExampleAveragePrecision() {
	ap, err := metric.AveragePrecision([][]float64{{0.9}, {0.8}, {0.7}}, [][]bool{{true}, {false}, {true}})
	fmt.Printf("%.4f %v\n", ap.Macro, err) // 1/2·1/1 + 1/2·2/3
	// Output: 0.8333 <nil>
}

func ExampleF1() {
	f1, err := metric.F1([][]float64{{0.9}, {0.8}, {0.3}}, [][]bool{{true}, {false}, {true}}, 0.5)
	fmt.Println(f1.Macro, err)
	// Output: 0.5 <nil>
}

func ExampleBestThreshold() {
	valid := [][]float64{{0.9}, {0.4}, {0.3}, {0.1}}
	labels := [][]bool{{true}, {true}, {false}, {false}}
	threshold, f1, err := metric.BestThreshold(valid, labels, metric.Macro)
	fmt.Println(threshold, f1, err)
	// Output: 0.4 1 <nil>
}

func ExamplePairedBootstrap() {
	labels := [][]bool{{true}, {false}, {true}, {false}, {true}, {false}}
	adapted := [][]float64{{0.9}, {0.2}, {0.8}, {0.3}, {0.7}, {0.1}}
	base := [][]float64{{0.9}, {0.2}, {0.3}, {0.8}, {0.7}, {0.1}}
	d, err := metric.PairedBootstrap(labels, adapted, base, metric.MacroROCAUC, 1000, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("difference %.3f, significant: %v\n", d.Difference, d.Significant)
	// Output: difference 0.222, significant: false
}

func ExampleSingleLabel() {
	r, err := metric.SingleLabel([][]float64{{0.9, 0.1}, {0.3, 0.7}, {0.6, 0.4}}, []int{0, 1, 1})
	fmt.Printf("%.3f %.3f %v\n", r.Accuracy, r.F1.Macro, err)
	// Output: 0.667 0.667 <nil>
}

func ExampleRegression() {
	r, err := metric.Regression([][]float64{{0.1}, {0.5}, {0.9}}, [][]float64{{0}, {0.5}, {1}})
	fmt.Printf("%.2f %v\n", r.R2.Mean, err)
	// Output: 0.96 <nil>
}

func ExampleBootstrap() {
	scores := [][]float64{{0.9, 0.1}, {0.3, 0.7}, {0.6, 0.4}, {0.8, 0.2}}
	accuracy, err := metric.Accuracy.Prepare(scores, []int{0, 1, 1, 0})
	if err != nil {
		fmt.Println(err)
		return
	}
	// The first two items are crops of one recording.
	e, err := metric.Bootstrap(4, accuracy, metric.Sampling{Replicates: 1000, Groups: []int{1, 1, 2, 3}})
	fmt.Println(e.Value, e.Low, e.High, err)
	// Output: 0.75 0 1 <nil>
}

func ExamplePairedPermutation() {
	labels := [][]bool{{true}, {false}, {true}, {false}, {true}, {false}}
	adapted := [][]float64{{0.9}, {0.2}, {0.8}, {0.3}, {0.7}, {0.1}}
	base := [][]float64{{0.9}, {0.2}, {0.3}, {0.8}, {0.7}, {0.1}}
	p, err := metric.PairedPermutation(labels, adapted, base, metric.MacroROCAUC, metric.Sampling{Replicates: 1000})
	fmt.Printf("difference %.3f, p %.2f of %d exchanges, %v\n", p.Difference, p.P, p.Replicates, err)
	// Output: difference 0.222, p 0.50 of 64 exchanges, <nil>
}

func ExampleHolm() {
	p, err := metric.Holm([]float64{0.01, 0.04}) // one model on two test sets
	fmt.Println(p, err)
	// Output: [0.02 0.04] <nil>
}
