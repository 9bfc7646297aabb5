// The form of a batch's page: a search, and a choice between sliders and results alone.
const choice = document.querySelector("form.choice");
if (choice) {
  const cards = [...document.querySelectorAll(".card")];
  const choose = () => {
    const { words, state, view } = choice.elements;
    const wanted = words.value.toLowerCase().split(/\s+/), results = view.value === "results";
    document.querySelector(".pictures").classList.toggle("gallery", results);
    for (const card of cards) {
      const text = card.dataset.words.toLowerCase();
      const fits = (!state.value || card.dataset.state === state.value) && wanted.every((word) => text.includes(word));
      card.hidden = !fits || (results && !("result" in card.dataset));
    }
    for (const sweep of document.querySelectorAll(".sweep")) sweep.hidden = !sweep.querySelector(".card:not([hidden])");
    choice.elements.shown.textContent = `${cards.filter((card) => !card.hidden).length} of ${cards.length} shown`;
  };
  choice.addEventListener("input", choose);
  choice.addEventListener("submit", (event) => event.preventDefault());
  choose();
}
