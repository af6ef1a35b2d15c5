// How the upload page says things, and how it asks.

export const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export function size(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  let step = 0;
  let amount = bytes;
  while (amount >= 1000 && step < units.length - 1) {
    amount /= 1000;
    step += 1;
  }
  return `${Number(amount.toPrecision(3))}\u202f${units[step]}`;
}

export const percent = (fraction) => `${Math.floor(100 * fraction)}\u202f%`;

// In the order in which one would want to hear of them.
export const words = { band_gap: "band gap", trpl_tau_amp: "PL lifetime", pl_peak_center: "PL peak", plqy: "PLQY" };
const IN_PERCENT = new Set(["plqy", "plqy_reported"]); // kept as fractions

export function written({ property, component, ...said }) {
  const label = [words[property] ?? property.replaceAll("_", " "), component].filter(Boolean).join(" ");
  const times = IN_PERCENT.has(property) ? 100 : 1;
  const [value, sigma, unit] = [said.value * times, said.sigma && said.sigma * times, times === 100 ? "%" : said.unit];
  const scale = unit === "1" ? "" : `\u202f${unit}`;
  if (!sigma) return `${label} ${Number(value.toPrecision(5))}${scale}`;
  const digits = Math.max(0, 1 - Math.floor(Math.log10(sigma)));
  return `${label} ${value.toFixed(digits)} ± ${sigma.toFixed(digits)}${scale}`.replaceAll("-", "−");
}

export async function ask(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}
