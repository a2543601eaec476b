package checkpoint

import "strings"

// File is one file of an output: its name in the directory (or the output's own), and its exact size.
type File struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// Layout lists the files that Write would make at path, with their exact sizes, from headers alone.
func Layout(path string, src Source, opts WriteOptions) ([]File, error) {
	layouts, err := plan(src, opts)
	if err != nil {
		return nil, err
	}
	return listFiles(path, layouts, opts), nil
}

func listFiles(path string, layouts []layout, opts WriteOptions) []File {
	if strings.HasSuffix(path, ".safetensors") {
		return []File{{path, int64(len(layouts[0].header)) + layouts[0].data}}
	}
	var files []File
	for _, l := range layouts {
		files = append(files, File{l.name, int64(len(l.header)) + l.data})
	}
	if len(layouts) > 1 {
		files = append(files, File{indexName, int64(len(shardIndex(layouts)))})
	}
	for _, side := range opts.SideFiles {
		files = append(files, File{side.Name, int64(len(side.Data))})
	}
	return files
}
