// The large view: a picture that is clicked fills the window; the arrow keys go on to the next one.
const view = document.querySelector("dialog.large");
if (view) {
  const part = (name) => view.querySelector(name);
  const pictureOf = ({ dataset, parentElement }) => document.getElementById(dataset.large) ?? parentElement.querySelector("img");
  let openers = [], at = 0;

  // Show the page's own copy at once, and then the file, where it is still beside the page and the browser reads it.
  const draw = async (source, { caption, file }) => {
    const image = new Image(), whole = new Image();
    image.alt = caption;
    image.src = source;
    part(".stage").replaceChildren(image);
    if (!file) return;
    whole.src = file;
    try {
      await whole.decode();
      image.src = file;
    } catch {}
  };
  const show = (index) => {
    at = (index + openers.length) % openers.length;
    const { dataset } = openers[at];
    draw(pictureOf(openers[at]).src, dataset);
    part("#large-caption").textContent = dataset.caption;
    part(".count").textContent = openers.length > 1 ? `${at + 1} of ${openers.length}` : "";
    part(".file").hidden = !dataset.file;
    if (dataset.file) part(".file").href = dataset.file;
  };
  // The pictures that can be seen on the page now, each once.
  const seen = () => {
    const found = new Map();
    for (const opener of document.querySelectorAll(".open")) {
      if (!opener.closest("[hidden]") && !found.has(pictureOf(opener))) found.set(pictureOf(opener), opener);
    }
    return found;
  };
  const open = (opener) => {
    const found = seen();
    openers = [...found.values()];
    for (const name of [".before", ".after"]) part(name).hidden = openers.length < 2;
    view.showModal();
    show([...found.keys()].indexOf(pictureOf(opener)));
  };
  for (const opener of document.querySelectorAll(".open")) {
    opener.addEventListener("click", () => open(opener));
    opener.parentElement.querySelector("input")?.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // Else the key would press the button of the view that gets the focus.
      open(opener);
    });
  }
  part(".before").addEventListener("click", () => show(at - 1));
  part(".after").addEventListener("click", () => show(at + 1));
  view.addEventListener("keydown", ({ key }) => {
    if (key === "ArrowLeft") show(at - 1);
    if (key === "ArrowRight") show(at + 1);
  });
  let touched = null; // The place where a single finger touched a picture that is not zoomed.
  view.addEventListener("touchstart", ({ touches }) => {
    touched = touches.length === 1 && visualViewport.scale === 1 ? touches[0].clientX : null;
  }, { passive: true });
  view.addEventListener("touchend", ({ changedTouches }) => {
    const moved = touched === null ? 0 : changedTouches[0].clientX - touched;
    if (Math.abs(moved) > 50) show(at - Math.sign(moved));
  });
  view.addEventListener("click", ({ target }) => target.closest("a, button:not(.close)") || view.close());
  view.addEventListener("close", () => {
    openers[at].focus();
    part(".stage").replaceChildren();
  });
}
