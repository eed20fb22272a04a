// What scrolls sideways can be reached with the keyboard; wide figures scroll where the screen is narrow.
const reachable = (element, name) => {
  if (element.scrollWidth > element.clientWidth + 1) {
    element.setAttribute("tabindex", "0");
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", name);
  }
};

const look = () => {
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
