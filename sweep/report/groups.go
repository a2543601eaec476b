package report

import (
	"math"

	"syncretic/checkpoint/chart"
)

// groupGrid is one row a group of layers or tensor: of every vector the norm, and what else is known of it; and means over pairs.
func groupGrid(id, title string, in Interference, groups []Group) grid {
	names := in.Names
	g := grid{ID: id, Title: title, Class: "figures", Header: []string{"Layers"},
		Caption: in.length() + " of each vector, shaded by its largest; cosine and sign conflict are means over pairs: blue goes together, orange against."}
	most := make([]float64, len(names))
	trimmed, spectra := false, false
	for _, group := range groups {
		trimmed, spectra = trimmed || group.Trimmed != nil, spectra || group.Directions != nil
		for i, v := range group.Norms {
			most[i] = max(most[i], v)
		}
	}
	models := in.modelNames()
	each := func(what string, names []string) {
		for _, name := range names {
			g.Header = append(g.Header, what+" "+name)
		}
	}
	each(in.length(), names)
	g.Header = append(g.Header, "cosine", "sign conflict")
	if in.Merged {
		for _, name := range models {
			g.Header = append(g.Header, "merged · "+name)
		}
		g.Caption += " The cosine of the merge with each vector stands beside."
	}
	if trimmed {
		each("trimmed", models)
	}
	if spectra {
		g.Caption += " Effective rank is a share of the most that is possible; overlap is that of leading directions, beside what chance gives."
		each("effective rank", names)
		g.Header = append(g.Header, "overlap", "by chance")
	}
	for _, group := range groups {
		row := gridRow{Name: group.Name}
		for i, v := range group.Norms {
			row.Cells = append(row.Cells, gridCell{Text: chart.Figure(v, 2), Class: chart.Heat(v, 0, most[i])})
		}
		row.Cells = append(row.Cells, agreement(meanPair(in.models(group.Cosine))), conflict(meanPair(in.models(group.SignConflict))))
		if in.Merged {
			for i := range models {
				row.Cells = append(row.Cells, agreement(group.Cosine[len(names)-1][i]))
			}
		}
		list := func(values []float64, names []string) {
			for i := range names {
				v := math.NaN()
				if values != nil {
					v = values[i]
				}
				row.Cells = append(row.Cells, share(v))
			}
		}
		if trimmed {
			list(group.Trimmed, models)
		}
		if spectra {
			list(group.Directions, names)
			row.Cells = append(row.Cells, share(meanPair(in.models(group.Overlap))), share(meanPair(in.models(group.Chance))))
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}
