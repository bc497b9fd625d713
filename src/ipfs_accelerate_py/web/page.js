// The page of an agent: asks for /page.json again and again, and writes into the page what has changed. Names come from
// other machines: all text is put in as text, and never as HTML.
"use strict";

const EVERY = 2000; // milliseconds between two questions
const PATIENCE = 8000; // until an answer counts as none
const NEVER = 3650 * 86400; // seconds: a member that was told of, and that nobody has seen

const find = (id) => document.getElementById(id);

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function saySize(bytes) {
  let size = bytes;
  for (const unit of ["B", "kB", "MB", "GB", "TB"]) {
    if (size < 1000 || unit === "TB") return `${unit === "B" ? size : size.toFixed(1)} ${unit}`;
    size /= 1000;
  }
  return "";
}

function sayAge(seconds) {
  for (const [size, unit] of [[86400, "days"], [3600, "hours"], [60, "minutes"]]) {
    if (seconds >= 2 * size) return `${Math.round(seconds / size)} ${unit}`;
  }
  return `${Math.round(seconds)} seconds`;
}

const sayNumber = (number, one, many) => `${number} ${number === 1 ? one : many}`;
const sayPeer = (peer) => (peer.length > 16 ? `${peer.slice(0, 8)}…${peer.slice(-6)}` : peer);
const sayAddress = (url) => url.replace(/^http:\/\//, "").slice(0, 60);
const sayName = (name, peer) => name || sayPeer(peer);

// Rows that stay are kept as they are, so that nothing flickers and no focus or selection is lost.
const drawn = new Map(); // id of a body -> key of a row -> the row

function draw(id, table, key, cells) {
  const body = find(id);
  const before = drawn.get(id) || new Map();
  const now = new Map();
  let at = body.firstChild;
  for (const row of table.rows) {
    let name = key(row);
    while (now.has(name)) name += "+";
    const fresh = make(body.tagName === "UL" ? "li" : "tr");
    fresh.append(...cells(row));
    let node = before.get(name);
    if (node === undefined) node = fresh;
    else if (!node.isEqualNode(fresh)) node.replaceChildren(...fresh.childNodes);
    now.set(name, node);
    if (node === at) at = at.nextSibling;
    else body.insertBefore(node, at);
  }
  for (const [name, node] of before) if (!now.has(name)) node.remove();
  drawn.set(id, now);
  const none = find(`${id}-none`);
  if (none) none.hidden = table.all > 0;
  if (body.tagName !== "UL") body.parentElement.hidden = table.all === 0;
  const more = find(`${id}-more`);
  if (more) {
    more.hidden = table.all <= table.rows.length;
    setText(more, `${table.rows.length} of ${table.all} are shown.`);
  }
}

function heading(text, ...small) {
  const cell = make("th", "", text);
  cell.scope = "row";
  for (const line of small) if (line) cell.append(make("span", "small", line));
  return cell;
}

function cell(text, className, ...small) {
  const node = make("td", className, text);
  for (const line of small) if (line) node.append(make("span", "small", line));
  return node;
}

// What arrives: how fast, from one answer to the next.
const speeds = new Map();

function measure(row, time) {
  const key = `${row.peer}/${row.repo}/${row.etag}`;
  const last = speeds.get(key);
  const speed = last && time > last.time ? Math.max(0, row.arrived - last.arrived) / (time - last.time) : null;
  if (!last || time > last.time) speeds.set(key, { time, arrived: row.arrived, speed });
  return last && time <= last.time ? last.speed : speed;
}

function arrivingCells(row) {
  const where = row.peer ? `at ${sayName(row.machine, row.peer)}` : "";
  const first = heading(row.repo, row.path || `file ${row.etag.slice(0, 16)}`, where);
  if (row.size) {
    const bar = make("progress");
    bar.max = row.size;
    bar.value = row.arrived;
    bar.setAttribute("aria-label", `${row.repo} ${row.path}`);
    first.append(bar);
  }
  const share = row.size ? `${Math.floor((100 * row.arrived) / row.size)} % of ${saySize(row.size)}` : "";
  const speed = row.age > 5 ? `none for ${sayAge(row.age)}` : row.speed === null ? "" : `${saySize(Math.round(row.speed))}/s`;
  return [first, cell(saySize(row.arrived), "number", share, speed)];
}

function memberCells(row) {
  const state = row.own ? "this machine" : row.there ? "here" : row.age < NEVER ? `not seen for ${sayAge(row.age)}` : "not seen yet";
  const where = make("span", "small");
  where.append(make("span", row.own || row.there ? "here" : "away", state), ` · ${sayAddress(row.agent)}`);
  const first = heading(sayName(row.name, row.peer));
  first.append(where, make("span", "small", sayPeer(row.peer)));
  const sizes = row.own ? ["–", "–"] : [saySize(row.gave), saySize(row.took)];
  return [first, ...sizes.map((size) => cell(size, "number"))];
}

function modelCells(row) {
  const holders = make("ul", "holders");
  for (const each of row.holders) {
    const some = each.bytes < row.bytes ? ` · ${saySize(each.bytes)}` : "";
    holders.append(make("li", "", sayName(each.name, each.peer) + some));
  }
  if (row.machines > row.holders.length) holders.append(make("li", "", `and ${row.machines - row.holders.length} more`));
  const on = make("td");
  on.append(holders);
  return [heading(row.name), on, cell(saySize(row.bytes), "number")];
}

function problemParts(row) {
  const text = make("p");
  text.append(make("strong", "", row.what), `: ${row.text}`);
  return row.hint ? [text, make("p", "quiet", row.hint)] : [text];
}

function show(page) {
  const own = page.machine;
  document.title = `${page.fleet.name} · Fleet`;
  setText(find("fleet"), page.fleet.name);
  const kubo = own.kubo === null ? "without Kubo" : own.kubo.running ? "Kubo runs" : "Kubo does not run";
  const restarts = own.kubo && own.kubo.restarts ? `, started again ${sayNumber(own.kubo.restarts, "time", "times")}` : "";
  const since = `agent up for ${sayAge(page.time - own.started)}`;
  setText(find("subtitle"), `This machine is ${sayName(own.name, own.peer)} · ${since} · ${kubo}${restarts}`);
  setText(find("spared"), saySize(page.spared));
  setText(find("gave"), saySize(page.gave));
  setText(find("took"), saySize(page.took));
  setText(find("count"), `${page.there + 1} of ${page.members.all + 1}`);

  draw("problems", page.problems, (row) => `${row.what} ${row.text}`, problemParts);
  find("problems-section").hidden = page.problems.all === 0;
  const arriving = page.arriving.rows.map((row) => ({ ...row, speed: measure(row, page.time) }));
  draw("arriving", { ...page.arriving, rows: arriving }, (row) => `${row.peer}/${row.repo}/${row.etag}`, arrivingCells);
  if (arriving.length === 0) speeds.clear();
  const machines = { rows: [{ ...own, own: true }, ...page.members.rows], all: page.members.all + 1 };
  draw("members", machines, (row) => row.peer, memberCells);
  find("members-none").hidden = page.members.all > 0;
  draw("models", page.models, (row) => row.name, modelCells);
  setText(find("models-none"), page.told ? "No machine has a public model yet." : "The machines are being asked.");
  draw("transfers", page.transfers, (row) => `${row.giver_peer} ${row.taker_peer}`, (row) => [
    heading(sayName(row.giver, row.giver_peer)),
    cell(sayName(row.taker, row.taker_peer)),
    cell(saySize(row.bytes), "number"),
  ]);
  draw("refused", page.refused, (row) => row.reason, (row) => [heading(row.reason, row.hint), cell(String(row.number), "number")]);
  find("refused-section").hidden = page.refused.all === 0;
  setText(find("refused-sum"), String(page.refused.rows.reduce((sum, row) => sum + row.number, 0)));
}

let last = null; // when the agent has answered last

function tell(words, lost) {
  const state = find("state");
  setText(state, words);
  state.classList.toggle("lost", lost);
  document.body.classList.toggle("stale", lost);
  find("silent").hidden = !lost;
  setText(find("last"), last === null ? "no time at all" : last.toLocaleTimeString());
}

async function ask() {
  let answer;
  try {
    answer = await fetch("/page.json", { signal: AbortSignal.timeout(PATIENCE), credentials: "same-origin", cache: "no-store" });
    if (answer.ok) {
      show(await answer.json());
      last = new Date();
      tell("Live", false);
      return;
    }
  } catch {
    answer = null;
  }
  if (answer !== null && answer.status === 403) tell("Open it anew, with the URL that fleet status prints", true);
  else tell("The agent does not answer", true);
}

let timer = 0;
let asking = false;

async function refresh() {
  clearTimeout(timer);
  if (asking) return;
  asking = true;
  try {
    if (!document.hidden) await ask();
  } finally {
    asking = false;
    timer = setTimeout(refresh, EVERY);
  }
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
});
refresh();
