// The chart of the costs: the pointer or the arrow keys choose a step, and a box beside it tells the costs there.
const shape = (name, attributes) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};

// Return the points of each cost's lines, one line for each scale, and the reading at each of these points.
const chartOf = (costs) => {
  const lines = new Map();
  for (const line of costs.querySelectorAll("polyline")) {
    const points = line.getAttribute("points").split(" ").map((point) => point.split(",").map(Number));
    lines.set(line.dataset.cost, [...(lines.get(line.dataset.cost) ?? []), ...points]);
  }
  const readings = costs.querySelector(".chart").dataset.readings.split(";").map((reading) => reading.split(" "));
  return { readings, lines: [...lines.values()], keys: [...costs.querySelectorAll(".legend li")] };
};

// Let a chart be read; return a function that replaces the chart by a newer one of the same run.
const readCosts = (costs) => {
  const plot = costs.querySelector(".plot"), slider = costs.querySelector(".reader"), box = costs.querySelector(".reading");
  let chart = chartOf(costs);

  const name = () => {
    const [step, size, ...values] = chart.readings[slider.value];
    const words = chart.keys.map((key, index) => `${key.textContent} ${values[index]}`);
    slider.setAttribute("aria-valuetext", `step ${step}, ${size} px: ${words.join(", ")}`);
  };
  const hide = () => {
    box.hidden = true;
    costs.querySelector(".mark")?.remove();
  };
  const mark = (across) => {
    const group = shape("g", { class: "mark" }), at = `${across / 10}%`;
    group.append(shape("line", { x1: at, x2: at, y1: 0, y2: "100%" }));
    chart.lines.forEach((points, index) => {
      group.append(shape("circle", { class: `k${index % 4}`, cx: at, cy: `${points[slider.value][1] / 10}%`, r: 4.5 }));
    });
    costs.querySelector(".chart").append(group);
  };
  const tell = (across) => {
    const [step, size, ...values] = chart.readings[slider.value];
    const title = document.createElement("b"), list = document.createElement("ul");
    title.textContent = `Step ${step}, ${size} px`;
    chart.keys.forEach((key, index) => {
      const item = key.cloneNode(true), value = document.createElement("span");
      value.textContent = values[index];
      item.append(value);
      list.append(item);
    });
    box.replaceChildren(title, list);
    box.style.left = across < 500 ? `calc(${across / 10}% + 0.9rem)` : "auto";
    box.style.right = across < 500 ? "auto" : `calc(${100 - across / 10}% + 0.9rem)`;
    box.hidden = false;
  };
  const show = () => {
    const across = chart.lines[0][slider.value][0];
    hide();
    mark(across);
    tell(across);
    name();
  };
  const point = (event) => {
    const place = plot.getBoundingClientRect();
    const distances = chart.lines[0].map(([x]) => Math.abs(x / 1000 - (event.clientX - place.left) / place.width));
    slider.value = distances.indexOf(Math.min(...distances));
    show();
  };
  plot.addEventListener("pointermove", point);
  plot.addEventListener("pointerdown", point);
  plot.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && hide());
  slider.addEventListener("input", show);
  slider.addEventListener("focus", () => slider.matches(":focus-visible") && show());
  slider.addEventListener("blur", hide);
  name();
  return (next) => {
    for (const part of [".chart", ".legend"]) costs.querySelector(part).replaceWith(next.querySelector(part));
    slider.max = next.querySelector(".reader").max;
    chart = chartOf(costs);
    if (box.hidden) name();
    else show();
  };
};
document.querySelectorAll(".costs").forEach(readCosts);
