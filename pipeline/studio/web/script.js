// The page changes labels by keys, by dragging and for many at once, and follows what happens
// here and in other windows. All of it is the page of the server at an address: what changes
// is fetched anew, and put in the place of what was there.
const me = crypto.randomUUID();
const $ = (id) => document.getElementById(id);
const wall = $("wall"), status = $("status");
const cards = () => [...wall.children];
const chosen = new Set(); // items
let anchor = null; // where a range begins
let pages = 1; // of the wall that are here
let focused = null; // item

const itemOf = (li) => Number(li.dataset.i);
const cardOf = (i) => wall.querySelector(`li[data-i="${i}"]`);
const here = () => document.activeElement?.closest?.("#wall li") ?? null;
const focusOn = (li) => li?.firstElementChild?.focus();

function say(text, bad = false) {
  if (!text) return;
  status.textContent = text;
  status.classList.toggle("alarm", bad);
}

// The page anew.
let busy = false, again = false;
async function refresh() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    do {
      again = false;
      const address = new URL(location.href);
      if (pages > 1) address.searchParams.set("pages", pages);
      const reply = await fetch(address);
      if (!reply.ok) throw new Error(await reply.text());
      take(new DOMParser().parseFromString(await reply.text(), "text/html"));
    } while (again);
  } catch (e) {
    say(`The server does not answer: ${e.message}`, true);
  } finally {
    busy = false;
  }
}

// What a class may be called is text: attributes and text are compared, and parsed by nobody.
function take(page) {
  for (const id of ["numbers", "side", "pages", "panel", "known"]) {
    const fresh = page.getElementById(id), old = $(id);
    if (old.contains(document.activeElement) && document.activeElement.matches("input")) continue;
    if (fresh.innerHTML !== old.innerHTML) old.innerHTML = fresh.innerHTML;
    old.hidden = fresh.hidden;
  }
  $("undo").disabled = page.getElementById("undo").disabled;
  $("redo").disabled = page.getElementById("redo").disabled;
  document.querySelector("main").dataset.version = page.querySelector("main").dataset.version;
  reconcile([...page.getElementById("wall").children]);
  watchEnd();
}

// Cards keep their place in the document where they can, and the one in the frame stays even
// where it is listed no more: a key must not meet another picture than the one that is seen.
function reconcile(fresh) {
  const old = new Map(cards().map((li) => [itemOf(li), li]));
  const at = cards().findIndex((li) => itemOf(li) === focused);
  const had = here() !== null;
  const list = fresh.map((li) => {
    const i = itemOf(li), mine = old.get(i);
    if (!mine) return document.adoptNode(li);
    if (mine.dataset.class !== li.dataset.class || mine.innerHTML !== li.innerHTML || mine.className !== li.className) {
      mine.className = li.className;
      Object.assign(mine.dataset, li.dataset);
      mine.firstElementChild.href = li.firstElementChild.getAttribute("href");
      if (mine.firstElementChild.innerHTML !== li.firstElementChild.innerHTML) mine.firstElementChild.innerHTML = li.firstElementChild.innerHTML;
    }
    return mine;
  });
  const stays = focused !== null && had && old.get(focused);
  if (stays && !list.includes(stays)) {
    stays.classList.add("stale");
    list.splice(Math.min(at, list.length), 0, stays);
  }
  const keep = new Set(list);
  for (const li of cards()) if (!keep.has(li)) li.remove();
  list.forEach((li, n) => {
    if (wall.children[n] !== li) wall.insertBefore(li, wall.children[n] ?? null);
  });
  for (const i of chosen) if (!cardOf(i)) chosen.delete(i);
  mark();
  if (stays && document.activeElement !== stays.firstElementChild) stays.firstElementChild.focus({ preventScroll: true });
}

function mark() {
  for (const li of cards()) li.classList.toggle("chosen", chosen.has(itemOf(li)));
}

function go(address) {
  const before = new URL(location.href), after = new URL(address, location.href);
  history.pushState(null, "", after);
  for (const url of [before, after]) url.searchParams.delete("image");
  if (before.search !== after.search) {
    pages = 1;
    chosen.clear();
    focused = null;
    document.querySelector("main").scrollTop = 0;
  }
  return refresh();
}

// Changes.
async function post(path, body) {
  const reply = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ by: me, ...body }) });
  const answer = await reply.json();
  if (!reply.ok) throw new Error(answer.error);
  return answer;
}

const targets = () => (chosen.size ? [...chosen] : here() ? [itemOf(here())] : openItem() !== null ? [openItem()] : []);

function openItem() {
  const i = new URL(location.href).searchParams.get("image");
  return i === null ? null : Number(i);
}

async function act(action, name = "", items = targets()) {
  if (!items.length) return say("No picture is chosen: go to one with the arrow keys, or choose some with the space bar.", true);
  const all = cards();
  const last = Math.max(-1, ...items.map((i) => all.indexOf(cardOf(i))));
  const next = all.slice(last + 1).find((li) => !items.includes(itemOf(li)));
  try {
    const sent = post("/change", { items, action, class: name, seen: Number(document.querySelector("main").dataset.version) });
    if (next && here()) focusOn(next);
    const event = await sent;
    chosen.clear();
    say(event.text);
  } catch (e) {
    say(e.message, true);
  }
  mark();
  refresh();
}

async function back(path) {
  try {
    say((await post(path, {})).text);
  } catch (e) {
    say(e.message, true);
  }
  refresh();
}

function like() {
  const byClass = new Map();
  for (const i of targets()) {
    const name = cardOf(i)?.dataset.like;
    if (name) byClass.set(name, [...(byClass.get(name) ?? []), i]);
  }
  if (!byClass.size) return say("Nobody says what this looks like.", true);
  for (const [name, items] of byClass) act("relabel", name, items);
}

function ask() {
  if (!targets().length) return act("relabel");
  const items = targets(), at = focused;
  const dialog = $("ask"), field = $("typed");
  field.value = "";
  dialog.returnValue = "";
  dialog.onsubmit = () => (dialog.returnValue = "yes");
  dialog.onclose = () => {
    focusOn(cardOf(at));
    const name = field.value.trim();
    if (dialog.returnValue === "yes" && name) act("relabel", name, items);
  };
  dialog.showModal();
}

function step(by, choose) {
  const all = cards(), at = all.indexOf(here() ?? cardOf(focused));
  const to = all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + by))];
  if (!to) return;
  if (choose) {
    if (!chosen.size && at >= 0) anchor = itemOf(all[at]);
    range(to);
  }
  jump(to);
}

function jump(to) {
  focusOn(to);
  to.scrollIntoView({ block: "nearest" });
}

function range(to) {
  const all = cards(), from = all.indexOf(cardOf(anchor ?? itemOf(to))), end = all.indexOf(to);
  for (const li of all.slice(Math.min(from, end), Math.max(from, end) + 1)) chosen.add(itemOf(li));
  mark();
}

function toggle(li) {
  const i = itemOf(li);
  if (!chosen.delete(i)) chosen.add(i);
  anchor = i;
  mark();
}

const columns = () => getComputedStyle(wall).gridTemplateColumns.split(" ").length;
const classNumber = (n) => document.querySelectorAll("#classes li")[n]?.dataset.class;

const keys = {
  ArrowRight: (e) => step(1, e.shiftKey),
  ArrowLeft: (e) => step(-1, e.shiftKey),
  ArrowDown: (e) => step(columns(), e.shiftKey),
  ArrowUp: (e) => step(-columns(), e.shiftKey),
  Home: () => cards()[0] && jump(cards()[0]),
  End: () => cards().length && jump(cards().at(-1)),
  " ": (e) => here() && (e.shiftKey ? range(here()) : toggle(here())),
  a: (e) => (e.ctrlKey || e.metaKey ? (cards().forEach((li) => chosen.add(itemOf(li))), mark()) : like()),
  c: () => act("confirm"),
  x: () => act("exclude"),
  u: () => back("/undo"),
  U: () => back("/redo"),
  "/": () => ask(),
  "?": () => $("help").showModal(),
  Escape: () => {
    if (openItem() !== null) close();
    chosen.clear();
    mark();
  },
};

function close() {
  const address = new URL(location.href);
  address.searchParams.delete("image");
  return go(address);
}

document.addEventListener("keydown", (e) => {
  if (e.target.matches("input, textarea, select") || document.querySelector("dialog[open]")) return;
  if ((e.ctrlKey || e.metaKey || e.altKey) && e.key !== "a") return;
  if (e.key === " " && e.target.matches("button, summary")) return;
  const digit = /^[0-9]$/.test(e.key) ? (Number(e.key) + 9) % 10 : -1;
  if (digit >= 0) {
    const name = classNumber(digit);
    if (name === undefined) return say(`There is no class ${e.key}.`, true);
    e.preventDefault();
    return act("relabel", name);
  }
  if (keys[e.key]) {
    e.preventDefault();
    keys[e.key](e);
  }
});

wall.addEventListener("focusin", (e) => {
  const li = e.target.closest("li");
  if (li) focused = itemOf(li);
});

document.addEventListener("click", (e) => {
  const link = e.target.closest("a");
  const li = e.target.closest("#wall li");
  if (li && (e.ctrlKey || e.metaKey || e.shiftKey)) {
    e.preventDefault();
    focusOn(li);
    return e.shiftKey ? range(li) : toggle(li);
  }
  if (!link || e.ctrlKey || e.metaKey || e.shiftKey || e.button || !link.getAttribute("href").startsWith("/?")) return;
  e.preventDefault();
  go(link.href);
});
window.addEventListener("popstate", () => refresh());

$("undo").addEventListener("click", () => back("/undo"));
$("redo").addEventListener("click", () => back("/redo"));
$("helper").addEventListener("click", () => $("help").showModal());
document.addEventListener("submit", (e) => {
  if (e.target.id !== "newclass") return;
  e.preventDefault();
  const field = $("newname"), name = field.value.trim();
  field.blur();
  if (name) act("relabel", name);
  field.value = "";
});

// Dragging: pictures onto a class, files onto the page.
wall.addEventListener("dragstart", (e) => {
  const li = e.target.closest("li");
  if (!li) return;
  if (!chosen.has(itemOf(li))) {
    chosen.clear();
    chosen.add(itemOf(li));
    mark();
  }
  e.dataTransfer.setData("application/x-icebox", "pictures");
  e.dataTransfer.effectAllowed = "copy";
});
const ours = (e) => e.dataTransfer.types.includes("application/x-icebox");
const onClass = (e) => e.target.closest?.("#classes li");
document.addEventListener("dragover", (e) => {
  const files = e.dataTransfer.types.includes("Files") && !ours(e);
  document.querySelector(".over")?.classList.remove("over");
  if (ours(e) && onClass(e)) onClass(e).classList.add("over");
  document.body.classList.toggle("dropping", files);
  if (files || (ours(e) && onClass(e))) e.preventDefault();
});
for (const kind of ["dragleave", "dragend", "drop"]) {
  document.addEventListener(kind, (e) => {
    if (kind === "dragleave" && e.relatedTarget) return;
    document.body.classList.remove("dropping");
    document.querySelector(".over")?.classList.remove("over");
  });
}
document.addEventListener("drop", (e) => {
  if (ours(e) && onClass(e)) {
    e.preventDefault();
    act("relabel", onClass(e).dataset.class, [...chosen]);
  } else if (e.dataTransfer.files.length && !ours(e)) {
    e.preventDefault();
    answer([...e.dataTransfer.files]);
  }
});

async function answer(files) {
  const dialog = $("answers"), list = dialog.querySelector("div");
  list.replaceChildren();
  dialog.querySelector("[role=status]").textContent = "";
  $("keepall").disabled = true;
  if (!dialog.open) dialog.showModal();
  for (const file of files) {
    const box = document.createElement("div"), name = document.createElement("p"), picture = document.createElement("img"), text = document.createElement("div");
    box.className = "fresh";
    name.className = "path";
    name.textContent = file.name;
    picture.alt = "";
    picture.src = URL.createObjectURL(file);
    picture.onload = picture.onerror = () => URL.revokeObjectURL(picture.src);
    text.textContent = "…";
    box.append(name, picture, text);
    list.append(box);
    try {
      const reply = await fetch("/answer", { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file });
      const said = await reply.text();
      if (!reply.ok) throw new Error(said);
      text.innerHTML = said;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "Keep";
      button.setAttribute("aria-label", `Keep ${file.name}`);
      button.onclick = () => keep(file, button);
      text.append(button);
      $("keepall").disabled = false;
    } catch (e) {
      text.textContent = e.message;
    }
  }
}

// A picture that is kept is an image without a label, which the wall shows with all others.
async function keep(file, button) {
  const told = $("answers").querySelector("[role=status]");
  button.disabled = true;
  try {
    const reply = await fetch(`/keep?by=${me}`, { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file });
    const answer = await reply.json();
    if (!reply.ok) throw new Error(answer.error);
    button.textContent = "Kept";
    told.textContent = `${file.name} is kept, without a label: it is among those that are unlabelled.`;
  } catch (e) {
    button.replaceWith(Object.assign(document.createElement("p"), { className: "alarm", textContent: e.message }));
    told.textContent = `${file.name}: ${e.message}`;
  }
  $("keepall").disabled = !$("answers").querySelector(".fresh button:enabled");
  refresh();
}
$("keepall").addEventListener("click", async () => {
  $("keepall").disabled = true;
  for (const button of [...$("answers").querySelectorAll(".fresh button:enabled")]) await button.onclick();
});

// More of the wall as its end comes near, up to a bound; then page by page.
const mostPages = 10;
const end = new IntersectionObserver((seen) => {
  if (seen.some((s) => s.isIntersecting) && pages < mostPages) {
    pages++;
    refresh();
  }
}, { rootMargin: "800px" });
function watchEnd() {
  end.disconnect();
  const more = document.querySelector("#pages a[rel=next]");
  if (more) end.observe(more);
}
watchEnd();

// What other processes do.
async function follow() {
  try {
    const reply = await fetch("/elsewhere");
    if (reply.ok) $("elsewhere").innerHTML = await reply.text();
  } catch {
    // The server is gone, and the next refresh says so.
  }
}

// What happens, here and elsewhere.
const events = new EventSource("/events");
events.addEventListener("message", (m) => {
  const event = JSON.parse(m.data);
  if (event.elsewhere) return follow();
  if (event.text && event.by !== me) say(event.text);
  refresh();
});
events.addEventListener("open", () => refresh());
