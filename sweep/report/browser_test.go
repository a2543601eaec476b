package report

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

//go:embed testdata/probe.js
var probe string

// A view is a size of window and a colour scheme.
type view struct {
	name          string
	width, height int
	dark          bool
	paper         [3]uint32 // the colour that the page begins with
}

func views() []view {
	light, dark := [3]uint32{0xfb, 0xfa, 0xf7}, [3]uint32{0x14, 0x17, 0x1a}
	return []view{
		{"phone, light", 360, 800, false, light}, {"phone, dark", 360, 800, true, dark},
		{"desk, light", 1280, 900, false, light}, {"desk, dark", 1280, 900, true, dark},
	}
}

// What probe.js finds.
type found struct {
	Inner, Scroll     int
	Dark              bool
	Fetched           []string
	Plots             int
	Colours           map[string]string // "rgb(..) on rgb(..)" with an example of such a text
	Outside, Overlaps []string          // texts that leave their chart, and that cover another of their kind
}

// TestInBrowser looks at reports through the Chromium that SYNCRETIC_CHROMIUM names, on a phone and on a desk, light and dark. Without
// one it still makes what the browser would open. Pictures are kept where SYNCRETIC_PICTURES is the name of a directory.
func TestInBrowser(t *testing.T) {
	chromium := os.Getenv("SYNCRETIC_CHROMIUM")
	for name, doc := range map[string]Document{"large": largeDocument(t), "shared": sample(), "empty": {Title: "Nothing"}} {
		page := render(t, doc)
		probed := strings.Replace(page, "</body>", "<script>"+probe+"</script></body>", 1)
		if n := strings.Count(probed, "<script>"); n != 1 {
			t.Fatalf("%s: %d scripts in what the browser opens, want the probe alone", name, n)
		}
		if chromium == "" {
			continue
		}
		for _, v := range views() {
			t.Run(name+", "+v.name, func(t *testing.T) {
				got := look(t, chromium, probed, v)
				if got.Inner != v.width || got.Dark != v.dark {
					t.Fatalf("the window is %d wide, dark %t", got.Inner, got.Dark)
				}
				if got.Scroll > got.Inner {
					t.Errorf("the page is %d wide in a window of %d", got.Scroll, got.Inner)
				}
				if len(got.Fetched) > 0 {
					t.Errorf("the page fetches %q", got.Fetched)
				}
				if len(got.Outside) > 0 || len(got.Overlaps) > 0 {
					t.Errorf("texts outside of their chart %q, over another %q", got.Outside, got.Overlaps)
				}
				if want := strings.Count(page, `class="plot `) - strings.Count(page, `class="plot narrow"`) - strings.Count(page, `class="plot parallel narrow"`); got.Plots != want {
					t.Errorf("%d charts are shown, want %d", got.Plots, want)
				}
				for pair, example := range got.Colours {
					if c := contrast(t, pair); c < 4.5 {
						t.Errorf("%q is %s: contrast %.2f, want 4.5", example, pair, c)
					}
				}
				if name == "large" {
					picture(t, chromium, page, name, v)
				}
			})
		}
	}
	if chromium != "" {
		wide := look(t, chromium, "<!DOCTYPE html><body><div style='width:2000px'>wide</div><script>"+probe+"</script>", views()[0])
		if wide.Scroll != 2000+8 || contrast(t, "rgb(0, 0, 0) on rgb(255, 255, 255)") != 21 {
			t.Errorf("a page of 2,000 pixels is seen as %+v", wide)
		}
	}
}

// browse opens a page, written into dir, and returns what the browser wrote; a message of the page to the console is an error.
func browse(t *testing.T, chromium, dir, page string, v view, more ...string) string {
	t.Helper()
	file, scheme := filepath.Join(dir, "page.html"), 1
	if v.dark {
		scheme = 0
	}
	if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	args := append([]string{chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr",
		"--host-resolver-rules=MAP * ~NOTFOUND", "--user-data-dir=" + filepath.Join(dir, "profile"), "--virtual-time-budget=2000",
		fmt.Sprintf("--window-size=%d,%d", v.width, v.height), fmt.Sprintf("--blink-settings=preferredColorScheme=%d", scheme)}, more...)
	files := []*os.File{nil, nil, nil}
	for i, name := range []string{os.DevNull, filepath.Join(dir, "out"), filepath.Join(dir, "err")} {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	process, err := os.StartProcess(chromium, append(args, "file://"+file), &os.ProcAttr{Env: os.Environ(), Files: files})
	if err != nil {
		t.Fatal(err)
	}
	overdue := time.AfterFunc(2*time.Minute, func() { process.Kill() })
	defer overdue.Stop()
	state, err := process.Wait()
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.ReadFile(files[1].Name())
	if err != nil {
		t.Fatal(err)
	}
	said, err := os.ReadFile(files[2].Name())
	if err != nil {
		t.Fatal(err)
	}
	if !state.Success() {
		t.Fatalf("%s: %v: %.2000s", chromium, state, said)
	}
	for line := range strings.Lines(string(said)) {
		if strings.Contains(line, "CONSOLE") {
			t.Errorf("the page writes to the console: %s", line)
		}
	}
	return string(out)
}

// window is a page with another in a frame of a view's size, since no window of Chromium is narrower than 500 pixels. It waits for
// the probe in the frame and shows what that says.
const window = `<!DOCTYPE html><meta name="color-scheme" content="light dark">
<script>addEventListener("message", (e) => { const p = document.createElement("pre"); p.id = "probe"; p.textContent = e.data; document.body.append(p); });</script>
<body><iframe style="border:0;width:%dpx;height:%dpx" src="inner.html"></iframe></body>`

// look opens a page that holds the probe.
func look(t *testing.T, chromium, page string, v view) found {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "inner.html"), []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	dom := browse(t, chromium, dir, fmt.Sprintf(window, v.width, v.height), v, "--dump-dom")
	m := regexp.MustCompile(`<pre id="probe">([^<]*)</pre>`).FindStringSubmatch(dom)
	if m == nil {
		t.Fatalf("the probe left nothing in %d bytes", len(dom))
	}
	var f found
	if err := json.Unmarshal([]byte(html.UnescapeString(m[1])), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// picture takes one of the window, which must have the page's paper in its corner and more than two colours.
func picture(t *testing.T, chromium, page, name string, v view) {
	t.Helper()
	dir := os.Getenv("SYNCRETIC_PICTURES")
	if dir == "" {
		dir = t.TempDir()
	}
	file := filepath.Join(dir, strings.ReplaceAll(name+" "+v.name, ",", "")+".png")
	browse(t, chromium, t.TempDir(), page, v, "--screenshot="+file)
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if size := img.Bounds().Size(); size.X != v.width || size.Y != v.height {
		t.Errorf("the picture has %v pixels", size)
	}
	r, g, b, _ := img.At(2, 2).RGBA()
	if paper := [3]uint32{r >> 8, g >> 8, b >> 8}; paper != v.paper {
		t.Errorf("the paper is %v, want %v", paper, v.paper)
	}
	colours := map[[3]uint32]bool{}
	for y := range v.height {
		for x := range v.width {
			r, g, b, _ := img.At(x, y).RGBA()
			colours[[3]uint32{r, g, b}] = true
		}
	}
	if len(colours) < 3 {
		t.Errorf("the picture has %d colours", len(colours))
	}
}

// contrast is WCAG 2's ratio of "rgb(r, g, b) on rgb(r, g, b)".
func contrast(t *testing.T, pair string) float64 {
	t.Helper()
	var c [6]float64
	if _, err := fmt.Sscanf(pair, "rgb(%f, %f, %f) on rgb(%f, %f, %f)", &c[0], &c[1], &c[2], &c[3], &c[4], &c[5]); err != nil {
		t.Fatalf("colours %q: %v", pair, err)
	}
	for i, v := range c {
		if v /= 255; v <= 0.04045 {
			c[i] = v / 12.92
		} else {
			c[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	both := []float64{0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2], 0.2126*c[3] + 0.7152*c[4] + 0.0722*c[5]}
	slices.Sort(both)
	return (both[1] + 0.05) / (both[0] + 0.05)
}
