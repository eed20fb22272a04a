"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const map = at("map"), space = at("space"), canvas = at("canvas"), names = at("names");
const CELL = 18, HEAD = 38, GAP = 6;
const STATES = ["nothing handed in", "passed", "failed", "not attempted", "not judged"];
const LETTERS = [".", "P", "F", "-", "?"];
const starts = [];  // x of each column: lessons stand a little apart
let across = 0;
data.lessons.forEach(([, count], n) => {
  if (n) across += GAP;
  for (let k = 0; k < count; k++) { starts.push(across); across += CELL; }
});
const possible = data.items.reduce((sum, item) => sum + item[3], 0);
const said = data.said.map((pairs) => {
  const found = new Map();
  for (let k = 0; k < pairs.length; k += 2) found.set(pairs[k], data.sentences[pairs[k + 1]]);
  return found;
});
let rows = [];  // numbers of the students that are shown, in order
let chosen = null, hovered = null;  // {row, column}
let wide = 150;

function ordered() {
  const all = data.students.map((_, s) => s), by = at("order").value;
  const open = (s) => Number(data.open[s] > 0);  // without a total, so at the end
  if (by !== "name") all.sort((a, b) => open(a) - open(b) || (by === "up" ? 1 : -1) * (data.points[a] - data.points[b]) || a - b);
  const wanted = at("find").value.trim().toLocaleLowerCase();
  rows = wanted ? all.filter((s) => data.students[s].toLocaleLowerCase().includes(wanted)) : all;
  at("found").textContent = wanted ? `${rows.length} of ${all.length} students` : "";
}

function arrange() {
  wide = Math.min(220, Math.max(110, map.clientWidth * 0.28));
  space.style.width = `${wide + across + 4}px`;
  space.style.height = `${HEAD + rows.length * CELL + 4}px`;
  map.style.height = `${HEAD + data.students.length * CELL + 4 + map.offsetHeight - map.clientHeight}px`;
  map.setAttribute("aria-rowcount", rows.length);
  map.setAttribute("aria-colcount", data.items.length);
  draw();
}

function colours() {
  const style = getComputedStyle(document.body), of = (name) => style.getPropertyValue(name).trim();
  const pair = (name) => [of(`--c-${name}`), of(`--g-${name}`)];
  return { ground: of("--ground"), ink: of("--ink"), soft: of("--soft"), line: of("--line"), link: of("--link"), tint: of("--tint"),
    passed: pair("passed"), failed: pair("failed"), partly: pair("partly"), unjudged: pair("unjudged"), blank: pair("blank") };
}

function shape(pen, kind, colour, x, y) {
  if (kind === "nothing") return;
  const [fill, glyph] = colour[kind];
  if (kind !== "blank") { pen.fillStyle = fill; pen.fillRect(x + 1, y + 1, CELL - 2, CELL - 2); }
  pen.strokeStyle = pen.fillStyle = glyph;
  pen.lineWidth = 2;
  pen.beginPath();
  if (kind === "passed") { pen.arc(x + 9, y + 9, 2.6, 0, 7); pen.fill(); return; }
  if (kind === "unjudged") { pen.font = "700 13px system-ui, sans-serif"; pen.textAlign = "center"; pen.fillText("?", x + 9, y + 13.5); return; }
  if (kind === "blank") { pen.moveTo(x + 6, y + 9); pen.lineTo(x + 12, y + 9); }
  if (kind === "failed") { pen.moveTo(x + 5, y + 5); pen.lineTo(x + 13, y + 13); }
  if (kind === "failed" || kind === "partly") { pen.moveTo(x + 5, y + 13); pen.lineTo(x + 13, y + 5); }
  pen.stroke();
}

function kind(s, i) {
  const state = data.cells[s].charCodeAt(i) - 48;
  return ["nothing", "passed", data.earned[s][i] ? "partly" : "failed", "blank", "unjudged"][state];
}

function draw() {
  const w = map.clientWidth, h = map.clientHeight, ratio = window.devicePixelRatio || 1, colour = colours();
  if (!w) return;
  if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
    canvas.width = Math.round(w * ratio); canvas.height = Math.round(h * ratio);
    canvas.style.width = `${w}px`; canvas.style.height = `${h}px`;
  }
  const pen = canvas.getContext("2d"), left = map.scrollLeft, top = map.scrollTop;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = colour.ground; pen.fillRect(0, 0, w, h);
  const first = Math.floor(top / CELL), last = Math.min(rows.length, Math.ceil((top + h - HEAD) / CELL));
  const mark = hovered || chosen;
  if (mark && rows.length) {
    pen.fillStyle = colour.tint;
    pen.fillRect(0, HEAD + mark.row * CELL - top, w, CELL);
    pen.fillRect(wide + starts[mark.column] - left, 0, CELL, h);
  }
  for (let r = first; r < last; r++)
    for (let i = 0; i < starts.length; i++) {
      const x = wide + starts[i] - left;
      if (x > wide - CELL && x < w) shape(pen, kind(rows[r], i), colour, x, HEAD + r * CELL - top);
    }
  if (chosen && document.activeElement === map) {
    pen.strokeStyle = colour.link; pen.lineWidth = 3;
    pen.strokeRect(wide + starts[chosen.column] - left, HEAD + chosen.row * CELL - top, CELL, CELL);
  }
  heads(pen, colour, left, w);
  label(first, last, top, colour);
}

function heads(pen, colour, left, w) {
  pen.fillStyle = colour.ground; pen.fillRect(0, 0, w, HEAD);
  pen.textAlign = "center";
  let i = 0;
  for (const [number, count] of data.lessons) {
    const x = wide + starts[i] - left;
    pen.font = "700 12px system-ui, sans-serif"; pen.fillStyle = colour.ink; pen.textAlign = "left";
    if (x > wide - CELL * count) pen.fillText(number, Math.max(x, wide) + 2, 14, Math.max(CELL, CELL * count - 4));
    pen.font = "10.5px system-ui, sans-serif"; pen.fillStyle = colour.soft; pen.textAlign = "center";
    for (let k = 0; k < count; k++, i++) pen.fillText(data.items[i][2], wide + starts[i] - left + 9, 31, CELL);
  }
  pen.fillStyle = colour.ground; pen.fillRect(0, 0, wide, map.clientHeight);
  pen.fillStyle = colour.line; pen.fillRect(wide - 1, 0, 1, map.clientHeight); pen.fillRect(0, HEAD - 1, w, 1);
  pen.textAlign = "left"; pen.font = "12px system-ui, sans-serif"; pen.fillStyle = colour.soft;
  pen.fillText("lesson", 7, 14); pen.fillText(map.clientWidth < 480 ? "student" : "student, points", 7, 31, wide - 12);
}

function label(first, last, top) {
  while (names.children.length < last - first) names.append(Object.assign(document.createElement("div"), { innerHTML: "<bdi></bdi><span></span>" }));
  [...names.children].forEach((line, n) => {
    const r = first + n, shown = r < last && HEAD + r * CELL - top > HEAD - CELL / 2;
    line.hidden = !shown;
    line.style.display = shown ? "" : "none";
    if (!shown) return;
    line.style.top = `${HEAD + r * CELL - top}px`;
    line.style.width = `${wide - 2}px`;
    line.firstChild.textContent = data.students[rows[r]];
    line.lastChild.textContent = map.clientWidth < 480 ? "" : total(rows[r]);
    line.className = (hovered || chosen || {}).row === r ? "on" : "";
  });
}

function text(s, i) {
  const [place, title, , points] = data.items[i], state = STATES[data.cells[s].charCodeAt(i) - 48];
  const worth = state === "nothing handed in" || state === "not judged" ? "" : `, ${data.earned[s][i]} of ${points} points`;
  return { where: `${place}: ${title}`, verdict: `${state}${worth}`, says: said[s].get(i) || "" };
}

function tell(mark) {
  const box = at("detail");
  if (!mark || !rows.length) { box.replaceChildren(line("No cell is chosen.", "soft")); return; }
  const s = rows[mark.row], found = text(s, mark.column), head = document.createElement("p");
  const who = Object.assign(document.createElement("bdi"), { textContent: data.students[s] });
  const strong = document.createElement("strong");
  strong.append(who);
  head.append(strong, `, ${inAll(s)}`);
  box.replaceChildren(head, line(`${found.where}: ${found.verdict}.`), ...(found.says ? [line(found.says, "soft")] : []));
}

function total(s) { return data.open[s] ? "–" : data.points[s]; }

function inAll(s) {
  if (!data.open[s]) return `${data.points[s]} of ${possible} points in all`;
  const judged = possible - data.open[s];
  return judged ? `${data.points[s]} of ${judged} points, ${data.open[s]} not judged` : "– not judged";
}

function line(words, style) {
  return Object.assign(document.createElement("p"), { textContent: words, className: style || "" });
}

function choose(row, column) {
  if (!rows.length) return;
  chosen = { row: Math.min(Math.max(row, 0), rows.length - 1), column: Math.min(Math.max(column, 0), starts.length - 1) };
  hovered = null;
  const x = wide + starts[chosen.column], y = HEAD + chosen.row * CELL;
  if (x - wide < map.scrollLeft) map.scrollLeft = x - wide;
  if (x + CELL + 4 > map.scrollLeft + map.clientWidth) map.scrollLeft = x + CELL + 4 - map.clientWidth;
  if (y - HEAD < map.scrollTop) map.scrollTop = y - HEAD;
  if (y + CELL + 4 > map.scrollTop + map.clientHeight) map.scrollTop = y + CELL + 4 - map.clientHeight;
  const found = text(rows[chosen.row], chosen.column);
  at("row").setAttribute("aria-rowindex", chosen.row + 1);
  at("cell").setAttribute("aria-colindex", chosen.column + 1);
  at("cell").textContent = `${data.students[rows[chosen.row]]}, ${found.where}: ${found.verdict}. ${found.says}`;
  tell(chosen);
  draw();
}

function under(event) {
  const box = map.getBoundingClientRect(), x = event.clientX - box.left - map.clientLeft, y = event.clientY - box.top - map.clientTop;
  if (x < 0 || y < HEAD || x >= map.clientWidth || y >= map.clientHeight) return null;
  const row = Math.floor((y - HEAD + map.scrollTop) / CELL), right = x - wide + map.scrollLeft;
  const column = x < wide ? (chosen ? chosen.column : 0) : starts.findIndex((start) => right >= start && right < start + CELL);
  return row < rows.length && column >= 0 ? { row, column } : null;
}

function key(event) {
  const now = chosen || { row: 0, column: -1 }, page = Math.max(1, Math.floor((map.clientHeight - HEAD) / CELL) - 1);
  const end = event.ctrlKey || event.metaKey;
  const moves = {
    ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], PageDown: [page, 0], PageUp: [-page, 0],
    Home: [end ? -Infinity : 0, -Infinity], End: [end ? Infinity : 0, Infinity],
  };
  if (!(event.key in moves) || event.altKey) return;
  event.preventDefault();
  if (!chosen) return choose(0, 0);
  choose(now.row + moves[event.key][0], now.column + moves[event.key][1]);
}

function again() {
  const student = chosen && rows[chosen.row];
  ordered();
  hovered = null;
  chosen = student !== null && rows.includes(student) ? { row: rows.indexOf(student), column: chosen.column } : null;
  map.scrollTop = 0;
  arrange();
  tell(chosen);
  if (chosen) choose(chosen.row, chosen.column);
  if (at("as-text").open) asText();
}

function asText() {
  const body = at("students").tBodies[0], made = document.createDocumentFragment();
  for (const s of rows) {
    const tr = document.createElement("tr"), count = (state) => [...data.cells[s]].filter((c) => c === state).length;
    const who = document.createElement("th");
    who.scope = "row";
    who.append(Object.assign(document.createElement("bdi"), { textContent: data.students[s] }));
    tr.append(who, ...[total(s), count("1"), count("2"), count("3")].map((n) =>
      Object.assign(document.createElement("td"), { textContent: n, className: "number" })));
    tr.append(Object.assign(document.createElement("td"), { textContent: letters(s), className: "cells" }));
    made.append(tr);
  }
  body.replaceChildren(made);
  for (const th of at("students").tHead.rows[0].cells) th.removeAttribute("aria-sort");
}

function letters(s) {
  let i = 0;
  return data.lessons.map(([, count]) => {
    let group = "";
    for (let k = 0; k < count; k++, i++) group += kind(s, i) === "partly" ? "h" : LETTERS[data.cells[s][i]];
    return group;
  }).join(" ");
}

function sortable(table) {
  const value = (tr, n) => { const cell = tr.cells[n]; return cell.dataset.v ?? cell.textContent; };
  [...table.tHead.rows[0].cells].forEach((th, n) => {
    const button = th.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const down = th.getAttribute("aria-sort") ? th.getAttribute("aria-sort") === "ascending" : th.classList.contains("number");
      const compare = (a, b) => {
        const [x, y] = [value(a, n), value(b, n)], difference = Number(x) - Number(y);
        return Number.isNaN(difference) ? x.localeCompare(y) : difference;
      };
      const sorted = [...table.tBodies[0].rows].sort((a, b) => (down ? -1 : 1) * compare(a, b));
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", down ? "descending" : "ascending");
      table.tBodies[0].append(...sorted);
    });
  });
}

let waiting = false;
function soon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw(); });
}

map.addEventListener("scroll", soon);
map.addEventListener("keydown", key);
map.addEventListener("focus", () => { if (!chosen) choose(0, 0); else draw(); });
map.addEventListener("blur", soon);
map.addEventListener("pointermove", (event) => { hovered = under(event); tell(hovered || chosen); soon(); });
map.addEventListener("pointerleave", () => { hovered = null; tell(chosen); soon(); });
map.addEventListener("click", (event) => { const found = under(event); if (found) choose(found.row, found.column); });
at("order").addEventListener("change", again);
at("find").addEventListener("input", again);
at("as-text").addEventListener("toggle", () => { if (at("as-text").open) asText(); });
document.querySelectorAll("table.sortable").forEach(sortable);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", soon);
new ResizeObserver(arrange).observe(map);
let opened = [];
window.addEventListener("beforeprint", () => {
  const many = data.students.length > 200;
  at("too-many").hidden = !many;
  opened = [...document.querySelectorAll("details:not([open])")].filter((each) => !(many && each.id === "as-text"));
  opened.forEach((each) => { each.open = true; });
  if (at("as-text").open && !many) asText();
});
window.addEventListener("afterprint", () => opened.forEach((each) => { each.open = false; }));
ordered();
arrange();
