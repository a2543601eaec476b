// Measures the page it stands in, with everything unfolded, and sends what it found as JSON to the page around it.
addEventListener("load", () => {
  document.querySelectorAll("details").forEach((d) => { d.open = true; });
  const shown = (e) => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== "hidden";
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
    return "none";
  };
  const colours = {};
  for (const e of document.body.querySelectorAll("*")) {
    const text = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
    if (!text || !shown(e) || ["SCRIPT", "title", "desc"].includes(e.tagName)) continue;
    const style = getComputedStyle(e);
    const ink = e.ownerSVGElement ? style.fill : style.color;
    colours[ink + " on " + ground(e)] ??= text.slice(0, 40);
  }
  const outside = [], overlaps = [];
  for (const svg of document.querySelectorAll("svg.plot")) {
    if (!shown(svg)) continue;
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].map((e) => ({ kind: e.getAttribute("class"), text: e.textContent, box: e.getBoundingClientRect() }));
    for (const { kind, text, box } of texts) {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) outside.push(kind + ": " + text);
    }
    texts.forEach((a, i) => texts.slice(i + 1).forEach((b) => {
      const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
      const high = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
      if (a.kind === b.kind && wide > 1 && high > 4) overlaps.push(a.kind + ": " + a.text + " / " + b.text);
    }));
  }
  parent.postMessage(JSON.stringify({
    inner: innerWidth, scroll: document.documentElement.scrollWidth, dark: matchMedia("(prefers-color-scheme: dark)").matches,
    fetched: performance.getEntriesByType("resource").map((r) => r.name), plots: [...document.querySelectorAll("svg.plot")].filter(shown).length, colours, outside, overlaps,
  }), "*");
});
