"use strict";
// A picture that the page contains already takes its data from there.
for (const image of document.querySelectorAll("img[data-copy]")) {
  image.src = document.getElementById(image.dataset.copy).src;
}
// A slider moves the edge between the photo and the result below.
for (const compare of document.querySelectorAll(".compare")) {
  const slider = compare.querySelector("input");
  const move = () => {
    compare.style.setProperty("--at", slider.value + "%");
    slider.setAttribute("aria-valuetext", `${slider.value} % photo, ${100 - slider.value} % result`);
  };
  slider.addEventListener("input", move);
  move();
}
// The filter of a batch's page hides the cards that do not fit.
const filter = document.querySelector("form.filter");
if (filter) {
  const cards = [...document.querySelectorAll(".card")];
  const choose = () => {
    const words = filter.elements.words.value.toLowerCase().split(/\s+/);
    const state = filter.elements.state.value;
    let shown = 0;
    for (const card of cards) {
      const text = card.dataset.words.toLowerCase();
      card.hidden = (state && card.dataset.state !== state) || !words.every((word) => text.includes(word));
      shown += !card.hidden;
    }
    filter.elements.shown.textContent = `${shown} of ${cards.length} shown`;
  };
  filter.addEventListener("input", choose);
  filter.addEventListener("submit", (event) => event.preventDefault());
  choose();
}
