// What scrolls sideways can be reached with the keyboard; wide figures scroll where the screen is narrow.
const reachable = (element, name) => {
  if (element.scrollWidth > element.clientWidth + 1) {
    element.setAttribute("tabindex", "0");
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", name);
  }
};

// The head of a column that is one formula is spoken by its letters.
const nameHead = (head) => {
  const letters = [...head.querySelectorAll("mjx-assistive-mml :is(mi, mn, mo)")].map((one) => one.textContent);
  const formulas = [...head.querySelectorAll("mjx-container")];
  if (!letters.length || head.textContent.trim() !== formulas.map((one) => one.textContent).join("").trim()) return;
  formulas.forEach((one) => one.setAttribute("aria-hidden", "true"));
  head.insertAdjacentHTML("beforeend", '<span class="visually-hidden"></span>');
  head.lastElementChild.textContent = letters.join(" ");
};

const look = () => {
  document.querySelectorAll("th:has(mjx-container)").forEach(nameHead);
  document.querySelectorAll('mjx-container[display="true"]').forEach((one) => reachable(one, "formula"));
  document.querySelectorAll(".wide-figure").forEach((one) => reachable(one, "figure"));
};

const widen = (image) => {
  if (image.naturalWidth > 2 * image.naturalHeight) image.parentElement.classList.add("wide-figure");
  look();
};

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("div.cell_output img, p > img, .cnnviz-panel img").forEach((image) => {
    if (image.complete) widen(image);
    else image.addEventListener("load", () => widen(image));
  });
  document.querySelectorAll("details").forEach((one) => one.addEventListener("toggle", look));
  window.addEventListener("resize", look);
  window.MathJax?.startup?.promise?.then(look);
});
window.addEventListener("load", () => window.MathJax?.startup?.promise?.then(look) ?? look());
