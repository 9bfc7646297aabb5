"use strict";
// Copy an element's text; where the browser does not allow that, select the text for the reader to copy.
const copied = async (element) => {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return document.execCommand("copy");
  }
};
// A picture that the page contains already takes its data from there.
for (const image of document.querySelectorAll("img[data-copy]")) {
  image.src = document.getElementById(image.dataset.copy).src;
}
// A slider moves the edge between the photo and the result below.
const moveTo = (compare, percent) => {
  const slider = compare.querySelector("input");
  slider.value = percent;
  compare.style.setProperty("--at", `${percent}%`);
  slider.setAttribute("aria-valuetext", `${percent} % photo, ${100 - percent} % result`);
};
const compares = [...document.querySelectorAll(".compare")];
for (const compare of compares) {
  const slider = compare.querySelector("input"), { linked } = compare.dataset;
  const together = linked ? compares.filter((other) => other.dataset.linked === linked) : [compare];
  slider.addEventListener("input", () => together.forEach((each) => moveTo(each, slider.value)));
  moveTo(compare, slider.value);
}
// A button copies the command before it.
for (const button of document.querySelectorAll("button.copy")) {
  const words = button.textContent, status = button.nextElementSibling;
  button.addEventListener("click", async () => {
    status.textContent = (await copied(button.previousElementSibling)) ? "Copied" : "Selected";
    button.textContent = status.textContent;
    setTimeout(() => (button.textContent = words), 2500);
  });
}
