package matrix_test

import (
	"fmt"
	"os"

	"syncretic/probe/matrix"
)

func ExamplePublished() {
	t := matrix.Published()
	for _, r := range t.Rows {
		above := t.FromBase(r)
		fmt.Printf("%s %.1f, non-Western %+.2f, Western %+.2f\n", r.Model, 100**r.Averages.All, 100**above.NonWestern, 100**above.Western)
	}
	// Output:
	// MERT-v1-95M 66.1, non-Western +0.00, Western +0.00
	// CultureMERT-95M 69.3, non-Western +4.90, Western -0.05
	// CultureMERT-TA-95M 69.1, non-Western +4.40, Western +0.40
}

func ExampleWriteLaTeX() {
	t := matrix.Published()
	t.Datasets, t.Rows = t.Datasets[:1], t.Rows[:1]
	t.Rows[0].Cells = t.Rows[0].Cells[:1]
	if err := matrix.WriteLaTeX(os.Stdout, t); err != nil {
		fmt.Println(err)
	}
	// Output:
	// % ROC-AUC / mAP in percent on test splits; needs \usepackage{booktabs}
	// \begin{tabular}{lcccc}
	// \toprule
	// Model & Turkish-makam & Avg. & Non-West. & West. \\
	// \midrule
	// MERT-v1-95M & \textbf{83.2}/\textbf{53.3} & \textbf{66.1} & \textbf{66.1} & \textbf{66.1} \\
	// \bottomrule
	// \end{tabular}
}
