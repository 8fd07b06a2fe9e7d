const element = (id) => document.getElementById(id);
const film = await decode(element("film").textContent);
const [numRows, numColumns] = film.size;
const last = film.typed.length - 1;
const RIGHT_HALF = "\0";
const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64];
const MIN_FONT = 4, MAX_FONT = 20; // pixels
const KEYS_AROUND = 90;

const screens = unpackScreens();
const [tokenStarts, tokenNumbers] = film.tokenAt ?? [[], []];
const placeOf = new Map(); // the button of each commit and file

let frame = 0, due = 0, isPlaying = false, speed = film.speed;
let shown = []; // the row and the cursor's column that each line of the screen shows
let current = []; // the buttons of where the frame is

async function decode(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

/** A row's cells as [character, style]. */
function unpackRow([text, runs]) {
  const characters = Array.from(text), styles = [];
  for (let i = 0; i < runs.length; i += 2) styles.push(...Array(runs[i + 1]).fill(runs[i]));
  return Array.from({ length: numColumns }, (_, i) => [characters[i] ?? " ", styles[i] ?? 0]);
}

/** For each frame its rows, packed; frames share them. */
function unpackScreens() {
  let screen = Array(numRows);
  return film.changes.map((changes) => {
    if (changes.length) screen = screen.slice();
    for (let i = 0; i < changes.length; i += 2) screen[changes[i]] = film.rows[changes[i + 1]];
    return screen;
  });
}

/** The last position in ascending numbers that is not above a value, or -1. */
function lastNotAbove(numbers, value) {
  let low = 0, high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function make(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

/** A row as spans: one for each run of ASCII in one style, one for each other character, which keeps its cells. */
function paintRow(line, row, cursor) {
  const spans = [];
  let run = null;
  row.forEach(([character, style], column) => {
    if (character === RIGHT_HALF) return;
    const isAscii = character < "\x7f", isCursor = column === cursor;
    if (!run || run.style !== style || !isAscii || isCursor || run.ends) {
      const isWide = row[column + 1]?.[0] === RIGHT_HALF;
      const span = make("span", isAscii ? "" : isWide ? "cell wide" : "cell", "");
      const colours = film.colours[style] ?? film.colours[0];
      const [front, back] = [`#${colours.slice(0, 6)}`, `#${colours.slice(6)}`];
      span.style.color = isCursor ? back : front;
      span.style.backgroundColor = isCursor ? front : back;
      if (isCursor) span.dataset.cursor = "";
      run = { span, style, text: "", ends: !isAscii || isCursor };
      spans.push(run);
    }
    run.text += character;
  });
  for (const { span, text } of spans) span.textContent = text;
  line.replaceChildren(...spans.map(({ span }) => span));
}

function paintScreen() {
  const [cursorRow, cursorColumn] = film.cursors[frame];
  screens[frame].forEach((row, i) => {
    const cursor = i === cursorRow ? cursorColumn : -1;
    if (shown[i]?.row !== row || shown[i].cursor !== cursor) {
      paintRow(element("screen").children[i], unpackRow(row), cursor);
      shown[i] = { row, cursor };
    }
  });
}

/** The keys around the one that follows the frame, by token where there are tokens. */
function paintKeys() {
  const typed = make("div", "typed", ""), coming = make("div", "", "");
  const token = lastNotAbove(tokenStarts, frame);
  const text = (from, to) => film.typed.slice(from, to).map((key) => film.keys[key][0]).join("");
  const end = token >= 0 ? tokenStarts[token + 1] ?? last + 1 : frame + 1;
  const pieces = (from, to) => {
    const found = [];
    for (let start = Math.max(0, from); start < Math.min(to, last + 1);) {
      const number = lastNotAbove(tokenStarts, start);
      const next = Math.min(to, tokenStarts.length ? tokenStarts[number + 1] ?? last + 1 : to);
      found.push(make("span", number % 2 === 1 ? "odd" : "", text(start, next)));
      start = next;
    }
    return found;
  };
  typed.append(...pieces(frame - KEYS_AROUND, frame));
  coming.append(...pieces(frame + 1, frame + KEYS_AROUND));
  element("keys").replaceChildren(typed, make("span", "now", text(frame, frame + 1) || "·"), coming);
  const isWithin = token >= 0 && end - tokenStarts[token] > 1;
  const name = film.keys[film.typed[frame]][0] || "·";
  element("action").textContent = isWithin ? `${name} in ${film.tokens[tokenNumbers[token]]}` : name;
}

function paintPlace() {
  const commit = film.commits[lastNotAbove(film.commits.map(([start]) => start), frame)];
  const file = film.files[lastNotAbove(film.files.map(([start]) => start), frame)];
  const places = [commit && placeOf.get(commit), file?.[1] && placeOf.get(file)].filter(Boolean);
  element("where").textContent = [commit && `commit ${commit[1]}`, file?.[1]].filter(Boolean).join(" · ");
  if (places.length === current.length && places.every((place, i) => place === current[i])) return;
  for (const place of current) place.classList.remove("current");
  for (const place of places) place.classList.add("current");
  places.at(-1)?.scrollIntoView({ block: "nearest" });
  current = places;
}

function paint() {
  paintScreen();
  paintKeys();
  paintPlace();
  element("scrub").value = frame;
  if (document.activeElement !== element("number")) element("number").value = film.first + frame;
  element("play").textContent = isPlaying ? "Pause" : "Play";
}

function goTo(number) {
  frame = Math.min(Math.max(number, 0), last);
  due = performance.now() + delay();
  paint();
}

function step(number) {
  isPlaying = false;
  goTo(number);
}

const delay = () => film.keys[film.typed[frame]][1] / speed;

function tick(now) {
  if (!isPlaying) return;
  const before = frame;
  while (frame < last && now >= due) {
    frame += 1;
    due += delay();
  }
  isPlaying = frame < last;
  if (frame !== before) paint();
  requestAnimationFrame(tick);
}

function toggle() {
  isPlaying = !isPlaying;
  if (isPlaying) requestAnimationFrame(tick);
  goTo(isPlaying && frame === last ? 0 : frame);
}

/** The nearest of some frames in a direction, or where one is. */
function nearest(frames, direction) {
  const number = lastNotAbove(frames, direction > 0 ? frame : frame - 1) + (direction > 0);
  return frames[number] ?? (direction > 0 ? frame : 0);
}

const startsOf = (marks) => marks.filter((mark) => mark[1]).map(([start]) => start);
const stepCommit = (direction) => goTo(nearest(startsOf(film.commits), direction));
const stepFile = (direction) => goTo(nearest(startsOf(film.files), direction));
const stepToken = (direction) => step(nearest(tokenStarts, direction));

function changeSpeed(direction) {
  const chosen = element("speed");
  chosen.selectedIndex = Math.min(Math.max(chosen.selectedIndex + direction, 0), chosen.options.length - 1);
  chosen.dispatchEvent(new Event("change"));
}

function buildPlaces() {
  const marks = [...film.commits.map((mark) => ["commit", mark]), ...film.files.map((mark) => ["file", mark])];
  marks.sort(([, a], [, b]) => a[0] - b[0]);
  for (const [kind, mark] of marks) {
    if (!mark[1]) continue;
    const button = make("button", kind, kind === "commit" ? `Commit ${mark[1]}` : mark[1]);
    if (kind === "commit") {
      button.append(make("code", "", mark[2].slice(0, 7)));
      const line = make("i", "", "");
      line.style.left = `${(100 * mark[0]) / Math.max(1, last)}%`;
      element("ticks").append(line);
    }
    button.title = mark.at(-1);
    button.addEventListener("click", () => goTo(mark[0]));
    placeOf.set(mark, button);
    element("places").append(button);
  }
}

function buildSpeeds() {
  for (const value of [...new Set([...SPEEDS, film.speed])].sort((a, b) => a - b)) {
    const option = make("option", "", `${value}×`);
    option.value = value;
    option.selected = value === film.speed;
    element("speed").append(option);
  }
}

/** The largest font in which the screen fits into its place. */
function fit() {
  const screen = element("screen"), place = element("frame-area");
  screen.style.fontSize = `${MAX_FONT}px`;
  const share = Math.min(place.clientWidth / screen.offsetWidth, place.clientHeight / screen.offsetHeight, 1);
  screen.style.fontSize = `${Math.max(MIN_FONT, Math.floor(MAX_FONT * share * 4) / 4)}px`;
}

const COMMANDS = {
  " ": toggle,
  ".": () => step(frame + 1),
  ",": () => step(frame - 1),
  ArrowRight: (event) => (event.shiftKey ? stepToken(1) : step(frame + 1)),
  ArrowLeft: (event) => (event.shiftKey ? stepToken(-1) : step(frame - 1)),
  n: () => stepCommit(1),
  p: () => stepCommit(-1),
  "]": () => stepFile(1),
  "[": () => stepFile(-1),
  "+": () => changeSpeed(1),
  "=": () => changeSpeed(1),
  "-": () => changeSpeed(-1),
  Home: () => step(0),
  End: () => step(last),
  g: () => element("number").select(),
};

function listen() {
  const buttons = {
    play: toggle,
    previous: COMMANDS[","],
    next: COMMANDS["."],
    "previous-token": () => stepToken(-1),
    "next-token": () => stepToken(1),
    "previous-commit": COMMANDS.p,
    "next-commit": COMMANDS.n,
  };
  for (const [id, command] of Object.entries(buttons)) element(id).addEventListener("click", command);
  element("scrub").addEventListener("input", (event) => goTo(Number(event.target.value)));
  element("speed").addEventListener("change", (event) => {
    speed = Number(event.target.value);
    event.target.blur(); // so that keys are commands again
    goTo(frame);
  });
  element("number").addEventListener("change", (event) => {
    const number = parseInt(event.target.value, 10);
    event.target.blur();
    step(Number.isNaN(number) ? frame : number - film.first);
  });
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target === element("number") || event.target === element("speed");
    if (isTyping && ["Enter", "Escape"].includes(event.key)) event.target.blur();
    const command = Object.hasOwn(COMMANDS, event.key) && COMMANDS[event.key];
    if (isTyping || !command || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    command(event);
  });
  new ResizeObserver(fit).observe(element("frame-area"));
}

document.title = film.name;
document.body.classList.toggle("without-tokens", !film.tokens);
element("name").textContent = film.name;
element("extent").textContent =
  `frames ${film.first.toLocaleString("en")} to ${(film.first + last).toLocaleString("en")}` +
  ` of ${film.total.toLocaleString("en")}, ${numRows}×${numColumns}`;
element("scrub").max = last;
element("screen").append(...Array.from({ length: numRows }, () => document.createElement("div")));
buildPlaces();
buildSpeeds();
listen();
goTo(0);
fit();
