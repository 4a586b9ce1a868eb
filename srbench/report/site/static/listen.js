"use strict";

(() => {
  const deck = document.querySelector("[data-deck]");
  const utterance = deck.querySelector("[data-utterance]");
  const status = deck.querySelector("[data-status]");
  const cards = [...document.querySelectorAll("[data-version]")];
  const radios = cards.map((card) => card.querySelector("input"));
  const heads = [...document.querySelectorAll("[data-head]")];
  const top = Number(deck.dataset.rate) / 2;
  const player = new Player(Number(deck.dataset.rate));
  window.srbenchPlayer = player;

  for (const line of document.querySelectorAll("[data-cutoff-line]")) {
    line.style.bottom = `${(100 * Number(deck.dataset.cutoff)) / top}%`;
  }

  bindTransport(deck, player, (at) => {
    const share = player.duration ? `${(100 * at) / player.duration}%` : "0%";
    for (const head of heads) head.style.left = share;
  });
  player.listeners.push(() => {
    for (const radio of radios) {
      radio.checked = radio.value === player.current;
      radio.closest("[data-version]").classList.toggle("current", radio.checked);
    }
  });
  bindKeys(player, (event) => {
    const onRadio = radios.includes(event.target);
    if (/^[0-9]$/.test(event.key)) return pick(event.key === "0" ? 9 : Number(event.key) - 1);
    if (onRadio && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      const step = event.key === "ArrowUp" ? -1 : 1;
      const usable = radios.filter((radio) => !radio.disabled);
      const next = usable[(usable.indexOf(event.target) + step + usable.length) % usable.length];
      player.choose(next.value);
      next.focus();
      return true;
    }
    return false;
  });

  function pick(place) {
    if (!radios[place] || radios[place].disabled) return false;
    player.choose(radios[place].value);
    return true;
  }

  for (const radio of radios) radio.addEventListener("change", () => player.choose(radio.value));
  for (const card of cards) {
    const picture = card.querySelector("[data-picture]");
    if (!picture) continue;
    picture.addEventListener("click", (event) => {
      const box = picture.getBoundingClientRect();
      player.choose(card.dataset.version);
      player.seek(((event.clientX - box.left) / box.width) * player.duration);
      player.play();
    });
  }

  let asked = 0;
  async function show() {
    const turn = ++asked;
    const option = utterance.selectedOptions[0];
    status.textContent = "Loading …";
    let clip, buffers;
    try {
      clip = await loadClip(option.value);
      buffers = await decodeClip(player, clip);
    } catch (error) {
      if (turn === asked) status.textContent = `Cannot be played: ${error.message}`;
      return;
    }
    if (turn !== asked) return; // another was chosen meanwhile
    for (const card of cards) fill(card, clip.versions[card.dataset.version], clip.seconds);
    player.load(buffers, player.current);
    status.textContent = gainText(option);
    deck.dataset.ready = clip.id;
  }

  function fill(card, version, seconds) {
    const radio = card.querySelector("input");
    radio.disabled = !version;
    card.classList.toggle("absent", !version);
    const scores = card.querySelector("[data-scores]");
    if (scores) {
      scores.textContent = version ? version.scores.map((pair) => pair.join(" ").replaceAll(" ", "\u00a0").replaceAll("-", "\u2011")).join("   ") : "not to be heard";
    }
    const image = card.querySelector("[data-image]");
    if (!image) return;
    image.hidden = !version || !version.image;
    if (!image.hidden) image.src = version.image;
    const axis = card.querySelector("[data-seconds]");
    axis.replaceChildren();
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60].find((each) => seconds / each <= 6) || 120;
    for (let place = 0; place * step <= seconds; place++) {
      const mark = document.createElement("span");
      mark.textContent = `${+(place * step).toFixed(1)}${place ? "" : " s"}`;
      mark.style.left = `${(100 * place * step) / seconds}%`;
      axis.append(mark);
    }
  }

  utterance.addEventListener("change", show);
  let wanted = location.hash.slice(1);
  try {
    wanted = decodeURIComponent(wanted);
  } catch (error) {
    // not an address that this page made: no utterance has it
  }
  for (const option of utterance.options) if (option.dataset.id === wanted) option.selected = true;
  show();
})();
