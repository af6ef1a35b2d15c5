// Pictures of a figure, as on paper; and the size of letters that a map's cells can hold.

import { save } from "./figure-data.js";
import { paper } from "./figure-look.js";

/** SVG of `width_mm` or PNG at twice the pixels; always as on paper, whatever theme the page has. */
export async function picture(figure, format, width_mm) {
  const { data, layout } = paper(figure.drawing, figure.stage, width_mm, figure.height);
  const { width, height } = layout;
  fitted(data, layout, width, height);
  const drawn = { data, layout };
  const options = { format, width, height, scale: format === "png" ? 2 : 1 };
  const address = await window.Plotly.toImage(drawn, options);
  const name = `${figure.drawing.filename}${width_mm ? `-${width_mm}mm` : ""}.${format}`;
  if (format === "png") {
    save(asBlob(address), name);
    return;
  }
  const svg = decodeURIComponent(address.slice(address.indexOf(",") + 1)).replace(
    /^(<svg[^>]*?) width="[^"]*" height="[^"]*"/,
    `$1 width="${width_mm}mm" height="${((width_mm * height) / width).toFixed(2)}mm"`,
  );
  save(new Blob([svg], { type: "image/svg+xml" }), name);
}

/** A data: address as a Blob, without a request (the policy allows none to it). */
function asBlob(address) {
  const binary = atob(address.slice(address.indexOf(",") + 1));
  return new Blob([Uint8Array.from(binary, (letter) => letter.charCodeAt(0))], { type: "image/png" });
}

/** Letters in the cells of a map as large as the cells allow. */
export function fitted(data, layout, width, height) {
  const [across, up] = layout.meta?.cells ?? [0, 0];
  if (!across) return;
  const { l, r, t, b } = layout.margin;
  const size = Math.min((width - l - r - 70) / across / 4.1, (height - t - b) / up / 2.3);
  for (const trace of data) {
    if (trace.meta === "cell text") {
      trace.textfont.size = Math.max(6, Math.min(layout.font.size, size));
      if (size < 5.6) trace.textfont.color = "rgba(0, 0, 0, 0)"; // too small to read: the pointer tells
    }
    if (trace.meta === "cell mark") {
      trace.marker.size = size < 5.6 ? 0 : Math.max(4, Math.min(8, size * 0.6));
    }
    if (trace.mode === "markers+text" && Array.isArray(trace.textfont?.color)) {
      const letters = (width - l - r - 70) / across / 6.2; // beside its mark
      trace.textfont.size = Math.max(6, Math.min(layout.font.size, letters));
      if (letters < 6) trace.text = trace.text.map(() => "");
    }
  }
}
