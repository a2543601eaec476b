package arithmetic

// Spectrum says how many directions the vectors of a matrix have, and how many they share. A tensor [out][in...] is a matrix
// [out][rest]. Lists are [vector], matrices [vector][vector] and symmetric. Of a layer they are means over its matrices.
type Spectrum struct {
	Rank float64 `json:"rank"` // the most that is possible: the smaller dimension

	// exp(−Σ p ln p) with p = σ/Σσ: Roy and Vetterli, The effective rank, EUSIPCO 2007. 0 of a vector that is 0.
	EffectiveRank []float64 `json:"effective_rank"`
	// ‖A‖²_F / σ₁²: how many directions are as long as the longest.
	StableRank []float64 `json:"stable_rank"`

	// How far the leading directions of two vectors span the same space: ‖Uᵢᵀ Uⱼ‖²_F / k, the mean squared cosine of the principal
	// angles between their k leading left singular vectors, averaged with the same of the right ones; k is the lower effective
	// rank, rounded up. It is what the subspace alignment ratio (arXiv 2502.04959, section 3) and singular task interference
	// (arXiv 2412.00081, section 3.2) are made of: 1 is the same space.
	Overlap [][]float64 `json:"overlap"`
	// What spaces of that size in random directions overlap: the mean of k/out and k/rest.
	Chance [][]float64 `json:"chance"`
}
