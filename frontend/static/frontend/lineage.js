// The genealogy: move, zoom, and show what belongs to the node under the pointer or the focus.
const stage = document.querySelector("[data-graph]");
const svg = stage?.querySelector("svg");

if (svg) {
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  const view = { x: 0, y: 0, w: width, h: height };
  const draw = () => svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);

  // The stage has its own shape: the view takes it on, so that a pixel is as wide as it is high.
  const shaped = (scale, centre) => {
    const { clientWidth, clientHeight } = stage;
    view.w = clientWidth / scale;
    view.h = clientHeight / scale;
    view.x = centre.x - view.w / 2;
    view.y = centre.y - view.h / 2;
    draw();
  };
  const scale = () => stage.clientWidth / view.w;
  const whole = () => Math.min(stage.clientWidth / width, stage.clientHeight / height, 1);
  const limited = (wanted) => Math.min(Math.max(wanted, whole() / 2), 3);
  const middle = () => ({ x: view.x + view.w / 2, y: view.y + view.h / 2 });

  const zoom = (factor, at = middle()) => {
    const before = scale();
    const after = limited(before * factor);
    const centre = middle();
    const stay = before / after;
    shaped(after, { x: at.x + (centre.x - at.x) * stay, y: at.y + (centre.y - at.y) * stay });
  };
  const fit = () => shaped(whole(), { x: width / 2, y: height / 2 });
  const placeOf = (node) => {
    const { e, f } = node.transform.baseVal[0].matrix;
    return { x: e + 84, y: f + 22 };
  };

  stage.style.height = `${Math.min(Math.max(height, 200), window.innerHeight * 0.68)}px`;
  svg.removeAttribute("width");
  svg.removeAttribute("height");
  const own = svg.querySelector(".node.self");
  if (whole() < 0.6 && own) shaped(0.8, placeOf(own));
  else fit();

  document.querySelector("[data-graph-tools]").hidden = false;
  document.querySelectorAll("[data-zoom]").forEach((button) =>
    button.addEventListener("click", () => {
      const kind = button.dataset.zoom;
      if (kind === "fit") fit();
      else zoom(kind === "in" ? 1.3 : 1 / 1.3);
    }),
  );

  const under = (event) => {
    const box = svg.getBoundingClientRect();
    return { x: view.x + (event.clientX - box.left) / scale(), y: view.y + (event.clientY - box.top) / scale() };
  };
  stage.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 300), under(event));
    },
    { passive: false },
  );

  let held = null;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button === 0) held = { x: event.clientX, y: event.clientY, moved: false };
  });
  window.addEventListener("pointermove", (event) => {
    if (!held) return;
    const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
    if (!held.moved && Math.hypot(dx, dy) < 4) return;
    held = { x: event.clientX, y: event.clientY, moved: true };
    view.x -= dx / scale();
    view.y -= dy / scale();
    draw();
  });
  window.addEventListener("pointerup", () => setTimeout(() => (held = null)));
  stage.addEventListener("click", (event) => held?.moved && event.preventDefault(), true);
  stage.addEventListener("dragstart", (event) => event.preventDefault());

  // Everything on the way up and down from a node.
  const arrows = [...svg.querySelectorAll(".arrow")];
  const reach = (key, from, to) => {
    const found = new Set([key]);
    for (const seen of found)
      arrows.forEach((arrow) => arrow.dataset[from] === seen && found.add(arrow.dataset[to]));
    return found;
  };
  const light = (node) => {
    svg.classList.toggle("lit", Boolean(node));
    if (!node) return;
    const key = node.dataset.node;
    const [up, down] = [reach(key, "end", "start"), reach(key, "start", "end")];
    const both = (set, arrow) => set.has(arrow.dataset.start) && set.has(arrow.dataset.end);
    svg.querySelectorAll(".node").forEach((other) =>
      other.classList.toggle("near", up.has(other.dataset.node) || down.has(other.dataset.node)),
    );
    arrows.forEach((arrow) => arrow.classList.toggle("near", both(up, arrow) || both(down, arrow)));
  };
  svg.addEventListener("pointerover", (event) => light(event.target.closest(".node")));
  svg.addEventListener("pointerleave", () => light(null));
  svg.addEventListener("focusin", (event) => {
    const node = event.target.closest(".node");
    light(node);
    const place = placeOf(node);
    const outside =
      place.x < view.x + 90 || place.x > view.x + view.w - 90 || place.y < view.y + 30 || place.y > view.y + view.h - 30;
    if (outside) shaped(scale(), place);
  });
  svg.addEventListener("focusout", () => light(null));

  const keys = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  stage.addEventListener("keydown", (event) => {
    if (event.key === "+" || event.key === "=") zoom(1.3);
    else if (event.key === "-") zoom(1 / 1.3);
    else if (event.key === "0") fit();
    else if (event.key in keys) step(keys[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  // The nearest node in that direction takes the focus.
  const step = ([dx, dy]) => {
    const here = document.activeElement?.closest?.(".node") ?? own;
    if (!here) return;
    const start = placeOf(here);
    let [best, least] = [null, Infinity];
    svg.querySelectorAll(".node").forEach((node) => {
      if (node === here || !node.querySelector("a")) return;
      const place = placeOf(node);
      const [ax, ay] = [place.x - start.x, place.y - start.y];
      const along = ax * dx + ay * dy;
      if (along < 10) return;
      const cost = along + 3 * Math.abs(ax * dy) + (dx ? Math.abs(ay) : 0);
      if (cost < least) [best, least] = [node, cost];
    });
    best?.querySelector("a").focus();
  };
}
