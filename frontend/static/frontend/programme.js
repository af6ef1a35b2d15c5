// A furnace programme as it is typed: the geometry of frontend/drawings/temperature_programme.py, to the pixel.
// A ramp or hold that is not stated is drawn dashed, takes a fixed share of the width, and says so.

const ROOM_C = 25;
const UNKNOWN_SHARE = 0.14;
const QUENCH_SHARE = 0.05;
const ROUND_STEPS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 7200, 14400];
const BOX = { left: 46, top: 22, width: 548, height: 150, right: 594, bottom: 172 };
const NARROW = "\u202f";

// Segments are {target_c, ramp_c_per_min, hold_min}, null where not stated; a quench is {label, rate_c_per_min}.

// Half-typed numbers are left out of the drawing; the server says what is wrong with them.
export function possible({ target_c: target, ramp_c_per_min: ramp, hold_min: hold }) {
  const known = [target, ramp, hold].filter((value) => value !== null);
  return target !== null && known.every(Number.isFinite) && target >= -273.15 && target <= 3000 && !(ramp < 0) && !(hold < 0);
}

export function programmeMin(segments) {
  const pieces = parts(segments, null);
  if (!pieces.length || pieces.some((piece) => piece.duration === null)) return null;
  return pieces.reduce((sum, piece) => sum + piece.duration, 0);
}

export function number(value) {
  const [whole, decimals] = String(Number(Math.abs(value).toPrecision(6))).split(".");
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, NARROW) : whole;
  return (value < 0 ? "−" : "") + grouped + (decimals ? `.${decimals}` : "");
}

export function minutes(value) {
  return value >= 180 ? `${number(value / 60)}${NARROW}h` : `${number(value)}${NARROW}min`;
}

function parts(segments, quench) {
  const found = [];
  let now = ROOM_C;
  let clock = 0;
  const add = (kind, from, to, duration) => {
    found.push({ kind, from, to, duration, start: clock });
    clock = clock === null || duration === null ? null : clock + duration;
  };
  for (const { target_c: target, ramp_c_per_min: ramp, hold_min: hold } of segments) {
    if (target !== now) add("ramp", now, target, ramp ? Math.abs(target - now) / ramp : null);
    if (hold !== 0) add("hold", target, target, hold);
    now = target;
  }
  if (quench && segments.length) {
    const end = Math.min(ROOM_C, now);
    add("quench", now, end, quench.rate_c_per_min ? (now - end) / quench.rate_c_per_min : null);
  }
  return found;
}

function layOut(pieces) {
  const temperatures = pieces.flatMap((piece) => [piece.from, piece.to]);
  const [low, high, ticks] = temperatureAxis(temperatures);
  const known = pieces.reduce((sum, piece) => sum + (piece.duration ?? 0), 0);
  const shares = pieces.map((piece) =>
    piece.duration !== null ? 0 : piece.kind === "quench" ? QUENCH_SHARE : UNKNOWN_SHARE,
  );
  const taken = shares.reduce((a, b) => a + b, 0);
  const crowding = Math.max(taken / (known ? 0.75 : 1), 1);
  const perMin = known ? (BOX.width * (1 - taken / crowding)) / known : 0;
  const yOf = (c) => BOX.bottom - ((c - low) / (high - low)) * BOX.height;
  let x = BOX.left;
  const lines = pieces.map((piece, place) => {
    const width = piece.duration === null ? (BOX.width * shares[place]) / crowding : piece.duration * perMin;
    const line = { piece, x0: x, y0: yOf(piece.from), x1: x + width, y1: yOf(piece.to) };
    x += width;
    return line;
  });
  return { lines, ticks: ticks.map((c) => [c, yOf(c)]), times: timeTicks(pieces, perMin) };
}

function temperatureAxis(temperatures) {
  const low = Math.min(...temperatures, 0);
  const high = Math.max(...temperatures, 100);
  const step = [50, 100, 200, 250, 500, 1000].find((s) => (high - low) / s <= 5);
  const ticks = [];
  for (let n = Math.floor(low / step); n <= Math.ceil(high / step); n += 1) ticks.push(n * step);
  return [ticks[0], ticks.at(-1), ticks];
}

function timeTicks(pieces, perMin) {
  const ends = pieces.filter((p) => p.start !== null && p.duration).map((p) => p.start + p.duration);
  const end = Math.max(0, ...ends);
  if (!end || !perMin) return [];
  const step = ROUND_STEPS.find((s) => end / s <= 7 && s * perMin >= 34);
  if (!step) return [[0, BOX.left]];
  const ticks = [];
  for (let m = 0; m <= Math.trunc(end); m += step) ticks.push([m, BOX.left + m * perMin]);
  return ticks;
}

export function draw(segments, quench = null) {
  if (!segments.length) return "";
  const { lines, ticks, times } = layOut(parts(segments, quench));
  const toScale = lines.every(({ piece }) => piece.duration !== null || piece.kind === "quench");
  const svg = [
    `<svg class="programme" viewBox="0 0 ${BOX.right + 26} ${BOX.bottom + 40}" role="img" aria-label="${sentence(segments)}">`,
    ...ticks.map(
      ([c, y]) =>
        `<line class="grid" x1="${BOX.left}" x2="${BOX.right}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/>` +
        `<text class="tick" x="${BOX.left - 8}" y="${(y + 4).toFixed(1)}" text-anchor="end">${number(c)}</text>`,
    ),
    ...times.map(
      ([m, x]) =>
        `<line class="axis" x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${BOX.bottom}" y2="${BOX.bottom + 4}"/>` +
        `<text class="tick" x="${x.toFixed(1)}" y="${BOX.bottom + 17}" text-anchor="middle">${number(m)}</text>`,
    ),
    `<line class="axis" x1="${BOX.left}" x2="${BOX.right}" y1="${BOX.bottom}" y2="${BOX.bottom}"/>`,
    text(BOX.left - 38, 12, "start", "Temperature (°C)", "tick"),
    text(BOX.right, BOX.bottom + 33, "end", `Time (min)${toScale ? "" : ", where recorded"}`, "tick"),
    ...lines.map(({ piece, x0, y0, x1, y1 }) => {
      const unknown = piece.duration === null && piece.kind !== "quench" ? " unknown" : "";
      return `<line class="${piece.kind}${unknown}" x1="${x0.toFixed(1)}" y1="${y0.toFixed(1)}" x2="${x1.toFixed(1)}" y2="${y1.toFixed(1)}"/>`;
    }),
    ...labels(lines, segments, quench),
  ];
  return `${svg.join("")}</svg>`;
}

function labels(lines, segments, quench) {
  const hottest = Math.max(...segments.map((segment) => segment.target_c));
  const found = [];
  let named = false;
  for (const { piece, x0, y0, x1, y1 } of lines) {
    const middle = (x0 + x1) / 2;
    const unknown = piece.duration === null;
    if (piece.kind === "hold") {
      const words = unknown ? "hold not recorded" : minutes(piece.duration);
      found.push(text(middle, y0 + 16, "middle", words, unknown ? "label unknown" : "label"));
    } else if (piece.kind === "ramp" && unknown) {
      found.push(text(middle + 6, (y0 + y1) / 2, "start", "rate not recorded", "label unknown"));
    } else if (piece.kind === "ramp" && x1 - x0 > 24) {
      const rate = Math.abs(piece.to - piece.from) / (piece.duration || 1);
      const beside = piece.to > piece.from ? 12 : -6;
      found.push(text(middle + 6, (y0 + y1) / 2 + beside, "start", `${number(rate)}${NARROW}°C${NARROW}min⁻¹`, "label"));
    } else if (piece.kind === "quench") {
      found.push(text(x1 - 8, BOX.bottom - 9, "end", quench.label.toLowerCase(), "label"));
    }
    if (piece.to === hottest && piece.kind === "ramp" && !named) {
      named = true;
      found.push(text(x1 - 6, y1 - 7, "end", `${number(piece.to)}${NARROW}°C`, "label strong"));
    }
  }
  return found;
}

function sentence(segments) {
  return segments
    .map(({ target_c: target, ramp_c_per_min: ramp, hold_min: hold }) => {
      const rate = ramp ? `${number(ramp)}${NARROW}°C${NARROW}min⁻¹` : "rate not recorded";
      const stay = hold === null ? "hold not recorded" : `hold ${minutes(hold)}`;
      return `to ${number(target)}${NARROW}°C (${rate}), ${stay}`;
    })
    .join("; ");
}

function text(x, y, anchor, words, kind) {
  const safe = words.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
  return `<text class="${kind}" x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${safe}</text>`;
}
