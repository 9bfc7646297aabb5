// The page of the live view: this script asks the server for the state and shows each change.
const place = (id) => document.getElementById(id);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const BETWEEN_STATES = 300, BETWEEN_CHARTS = 1500; // Pauses in milliseconds.
let redraw = null; // Replaces the chart of this run by a newer one.
let run = 0, picture = 0, charted = 0, chartedAt = -BETWEEN_CHARTS;

const inWords = (seconds) => {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

const say = (id, words) => {
  if (place(id).textContent !== words) place(id).textContent = words;
};

// Replace a picture, but only when the new picture has been loaded.
const load = async (id, source) => {
  const old = place(id), next = new Image();
  next.alt = old.alt;
  next.className = old.className;
  next.src = source;
  try {
    await next.decode();
  } catch {
    return false;
  }
  next.id = id;
  old.replaceWith(next);
  return true;
};

const begin = async (state) => {
  run = state.run;
  picture = charted = 0;
  say("content", state.content);
  say("styles", state.styles.length > 3 ? `${state.styles.slice(0, 3).join(", ")} and ${state.styles.length - 3} more` : state.styles.join(" and "));
  place("join").hidden = false;
  document.title = `${state.content} in the style of ${state.styles.join(" and ")}`;
  const ofClip = state.unit === "frame";
  say("unit", ofClip ? "Frame" : "Step");
  say("before", ofClip ? "Frame" : "Photo");
  place("cost-fact").hidden = place("costs-part").hidden = ofClip;
  const row = place("made-from");
  row.replaceChildren();
  place("picture").hidden = true;
  place("compare").classList.add("waiting");
  if (redraw) place("costs").textContent = "The costs appear after the first step.";
  redraw = null;
  for (let number = 1; number <= state.shown_styles; number++) {
    const figure = document.createElement("figure"), image = new Image(), caption = document.createElement("figcaption");
    image.alt = `the style ${state.styles[number - 1]}`;
    image.addEventListener("load", () => figure.style.setProperty("--shape", image.naturalWidth / image.naturalHeight));
    image.src = `/style_${number}.jpg?${run}`;
    caption.textContent = state.styles[number - 1];
    figure.append(image, caption);
    row.append(figure);
  }
  if (await load("photo", `/content.jpg?${run}`)) {
    const photo = place("photo");
    place("compare").style.setProperty("--most", `min(56rem, calc(78vh * ${photo.naturalWidth / photo.naturalHeight}))`);
    place("compare").querySelector(".frame").style.setProperty("aspect-ratio", `${photo.naturalWidth} / ${photo.naturalHeight}`);
  }
};

// Draw the chart of the costs; of a run that is shown already only what has changed, as somebody may be reading it.
const draw = async () => {
  const next = document.createElement("template");
  next.innerHTML = await (await fetch("/costs.html")).text();
  if (!next.content.querySelector(".costs")) return; // The next run of a batch has begun, and has no step yet.
  if (redraw) {
    redraw(next.content);
  } else {
    place("costs").replaceChildren(next.content);
    redraw = readCosts(place("costs").querySelector(".costs"));
  }
};

const show = async (state) => {
  if (state.run !== run && state.run) await begin(state);
  place("state").className = `state ${state.state}`;
  say("state", state.state);
  place("place-fact").hidden = !state.place;
  say("place", state.place);
  say("step", state.step ? `${state.step} of ${state.steps}` : "–");
  say("size", state.size ? `${state.size[1]} × ${state.size[0]} px` : "–");
  say("seconds", state.step ? inWords(state.seconds) : "–");
  say("left", state.seconds_left === null ? "–" : inWords(state.seconds_left));
  say("cost", state.step && state.unit === "step" ? state.costs.total.toPrecision(3) : "–");
  const done = state.state === "done" ? 1 : state.fraction_done; // A run may end before its last step.
  place("progress").value = done;
  say("work", state.run ? `${Math.floor(100 * done)} %` : "–");
  if (state.picture && state.picture !== picture) {
    picture = state.picture;
    if (state.unit === "frame") await load("photo", `/content.jpg?${run}.${picture}`); // Of a clip, each frame has its own.
    if (await load("picture", `/picture.jpg?${picture}`)) place("compare").classList.remove("waiting");
  }
  const now = performance.now();
  if (state.unit === "step" && state.step !== charted && (state.state !== "running" || now - chartedAt > BETWEEN_CHARTS)) {
    charted = state.step;
    chartedAt = now;
    await draw();
  }
};

const follow = async () => {
  let version = 0, over = false;
  while (!over) {
    try {
      const state = await (await fetch(`/state.json?after=${version}`)).json();
      ({ version, over } = state);
      await show(state);
    } catch {
      if (!over) say("state", "the run has ended");
      return;
    }
    if (!over) await pause(BETWEEN_STATES);
  }
  fetch(`/state.json?after=${version}`); // The server, which waits for this, learns that the last version is shown.
};
follow();
