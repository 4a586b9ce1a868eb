"use strict";

(() => {
  const [setup, trial, result] = ["setup", "trial", "result"].map((name) => document.querySelector(`[data-${name}]`));
  const status = setup.querySelector("[data-status]");
  const sides = { A: setup.querySelector('[data-side="A"]'), B: setup.querySelector('[data-side="B"]') };
  const utterance = setup.querySelector("[data-utterance]");
  const radios = [...trial.querySelectorAll('input[name="heard"]')];
  const buttons = [...trial.querySelectorAll("[data-answer]")];
  const heading = trial.querySelector("[data-heading]");
  const player = new Player(Number(trial.dataset.rate));
  window.srbenchPlayer = player;

  let test = null;

  bindTransport(trial, player);
  player.listeners.push(() => {
    for (const radio of radios) radio.checked = radio.value === player.current;
  });
  for (const radio of radios) radio.addEventListener("change", () => player.choose(radio.value));
  for (const button of buttons) button.addEventListener("click", () => answer(button.dataset.answer));
  bindKeys(player, (event) => {
    if (event.key === "A" || event.key === "B") return answer(event.key);
    if (["a", "b", "x"].includes(event.key)) {
      player.choose(event.key.toUpperCase());
      return true;
    }
    return false;
  }, () => !trial.hidden);

  setup.addEventListener("submit", (event) => {
    event.preventDefault();
    if (sides.A.value === sides.B.value) {
      status.textContent = "A and B are the same version: choose two.";
      return;
    }
    const all = [...utterance.options].filter((option) => option.value);
    test = {
      keys: { A: sides.A.value, B: sides.B.value },
      names: { A: sides.A.selectedOptions[0].textContent, B: sides.B.selectedOptions[0].textContent },
      clips: utterance.value ? [utterance.selectedOptions[0]] : all,
      planned: Number(setup.querySelector("[data-trials]").value),
      done: [],
      x: "",
      loaded: new Map(),
    };
    next();
  });

  async function next() {
    const place = test.done.length;
    const option = test.clips[place % test.clips.length];
    for (const button of buttons) button.disabled = true;
    status.textContent = "Loading …";
    let pair;
    try {
      pair = await load(option);
    } catch (error) {
      trial.hidden = true;
      setup.hidden = false;
      status.textContent = `Cannot be played: ${error.message}`;
      return;
    }
    test.x = crypto.getRandomValues(new Uint8Array(1))[0] & 1 ? "A" : "B";
    status.textContent = "";
    setup.hidden = true;
    trial.hidden = false;
    const looping = player.looping;
    player.load(new Map([["A", pair.get(test.keys.A)], ["B", pair.get(test.keys.B)], ["X", pair.get(test.keys[test.x])]]), "A");
    if (looping) player.loop(true);
    trial.querySelector("[data-gain-text]").textContent = gainText(option);
    heading.textContent = `Trial ${place + 1} of ${test.planned}: A is ${test.names.A}, B is ${test.names.B}`;
    for (const button of buttons) button.disabled = false;
    trial.dataset.number = place + 1;
    heading.focus();
  }

  async function load(option) {
    if (!test.loaded.has(option.value)) {
      const clip = await loadClip(option.value);
      const pair = await decodeClip(player, clip, Object.values(test.keys));
      if (pair.size < 2) throw new Error(`${option.dataset.id} is not there in both versions`);
      test.loaded.set(option.value, pair);
    }
    return test.loaded.get(option.value);
  }

  function answer(side) {
    if (buttons[0].disabled) return true;
    const option = test.clips[test.done.length % test.clips.length];
    test.done.push({ utterance: option.dataset.id, x: test.x, answer: side, correct: side === test.x });
    player.pause();
    if (test.done.length < test.planned) next();
    else finish();
    return true;
  }

  function finish() {
    player.pause();
    const n = test.done.length;
    const right = test.done.filter((each) => each.correct).length;
    const whole = n === test.planned;
    const p = tail(right, n);
    test.p = whole ? p : NaN;
    result.querySelector("[data-score]").textContent = `${right} of ${n} right: ${test.names.A} against ${test.names.B}`;
    result.querySelector("[data-verdict]").textContent = whole
      ? `p = ${p < 0.0001 ? p.toExponential(1) : p.toFixed(4)}. ${p <= 0.05 ? "Guessing gets that many right in at most one test of twenty." : "Guessing gets that many right often enough: no difference was shown, which does not mean that there is none."}`
      : `Stopped after ${n} of ${test.planned} trials: there is no p-value, because when to stop was not fixed before.`;
    result.dataset.right = right;
    result.dataset.p = test.p;
    trial.hidden = true;
    result.hidden = false;
    result.querySelector("[data-result-heading]").focus();
  }

  // The chance that guessing gets at least `right` of `n` right.
  function tail(right, n) {
    let term = 2 ** -n;
    let sum = 0;
    for (let count = 0; count <= n; count++) {
      if (count >= right) sum += term;
      term = (term * (n - count)) / (count + 1);
    }
    return Math.min(1, sum);
  }

  function download() {
    // as srbench/table.py: a spreadsheet would run a text that begins like a formula
    const guard = (text) => (/^(?:[\s']*[=+\-@＝＋－＠]|'*[\t\r\n])/u.test(text) ? `'${text}` : text);
    const quote = (value) => `"${String(typeof value === "string" ? guard(value) : value).replaceAll('"', '""')}"`;
    const rows = [["trial", "utterance", "a", "b", "x", "answer", "correct", "planned", "p_value"]];
    test.done.forEach((each, place) => {
      const p = Number.isNaN(test.p) ? "" : test.p;
      rows.push([place + 1, each.utterance, test.names.A, test.names.B, each.x, each.answer, each.correct ? 1 : 0, test.planned, p]);
    });
    const text = rows.map((row) => row.map(quote).join(",") + "\n").join("");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = "abx.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  trial.querySelector("[data-stop]").addEventListener("click", finish);
  result.querySelector("[data-download]").addEventListener("click", download);
  result.querySelector("[data-again]").addEventListener("click", () => {
    result.hidden = true;
    setup.hidden = false;
    sides.A.focus();
  });
})();
