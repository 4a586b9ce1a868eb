"use strict";

// Plays several versions of one recording in step and lets one of them through.
//
// Every version has its own source; all start at the same instant of the audio clock and run until they are stopped,
// so that changing the version moves two gains and nothing else: no gap, and the position stays. The crossfade is
// linear, because versions of one recording are alike and their amplitudes add.
//
// For tests and the curious: `window.srbenchPlayer.state()` tells what is going on, with the gains as they are heard.

const FADE = 0.01; // seconds, from one version to another
const EDGE = 0.005; // seconds, at start and stop, so that they do not click
const LEAD = 0.02; // seconds between asking for a start and the start: all sources must be ready by then

class Player {
  constructor(rate) {
    try {
      this.context = new AudioContext({ sampleRate: rate }); // so that decoding does not resample
    } catch {
      this.context = new AudioContext();
    }
    this.buffers = new Map();
    this.voices = null;
    this.current = null;
    this.offset = 0; // seconds, where the next start begins, or this one began
    this.startedAt = 0; // on the audio clock
    this.looping = false;
    this.region = null; // [from, to] in seconds, null for all
    this.listeners = [];
  }

  // Return a FLAC file in base64 as an AudioBuffer.
  decode(base64) {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    return this.context.decodeAudioData(bytes.buffer);
  }

  // Take a Map of key to AudioBuffer in place of what was there; the position goes to the start.
  load(buffers, current) {
    this.stopVoices();
    this.buffers = buffers;
    this.current = buffers.has(current) ? current : buffers.keys().next().value;
    this.offset = 0;
    this.region = null;
    this.tell();
  }

  get duration() {
    const first = this.buffers.values().next().value;
    return first ? first.duration : 0;
  }

  get playing() {
    return this.voices !== null;
  }

  get span() {
    return this.region || [0, this.duration];
  }

  // Seconds from the start of the recording.
  position() {
    if (!this.voices) return this.offset;
    const at = this.offset + Math.max(0, this.context.currentTime - this.startedAt);
    if (!this.looping) return Math.min(at, this.duration);
    const [from, to] = this.span;
    return at < to ? at : from + ((at - from) % (to - from));
  }

  play() {
    if (this.voices || !this.buffers.size) return;
    this.context.resume();
    const [from, to] = this.span;
    if (this.looping ? this.offset < from || this.offset >= to : this.offset >= this.duration) this.offset = from;
    const at = this.context.currentTime + LEAD;
    const bus = new GainNode(this.context, { gain: 0 });
    bus.gain.setValueAtTime(0, at);
    bus.gain.linearRampToValueAtTime(1, at + EDGE);
    bus.connect(this.context.destination);
    const voices = { bus, sources: [], gains: new Map() };
    for (const [key, buffer] of this.buffers) {
      const source = new AudioBufferSourceNode(this.context, { buffer, loop: this.looping, loopStart: from, loopEnd: to });
      const gain = new GainNode(this.context, { gain: key === this.current ? 1 : 0 });
      source.connect(gain).connect(bus);
      source.start(at, this.offset);
      voices.sources.push(source);
      voices.gains.set(key, gain.gain);
    }
    voices.sources[0].onended = () => {
      if (this.voices !== voices) return;
      this.voices = null;
      this.offset = 0;
      this.tell();
    };
    this.voices = voices;
    this.startedAt = at;
    this.tell();
  }

  pause() {
    if (!this.voices) return;
    this.offset = this.position();
    this.stopVoices();
    this.tell();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  seek(seconds) {
    const was = this.playing;
    this.stopVoices();
    this.offset = Math.min(Math.max(0, seconds), Math.max(0, this.duration - 0.001));
    if (was) this.play();
    this.tell();
  }

  // Let another version through; the position is untouched.
  choose(key) {
    if (!this.buffers.has(key) || key === this.current) return;
    this.current = key;
    if (this.voices) {
      const now = this.context.currentTime;
      for (const [each, gain] of this.voices.gains) {
        const value = gain.value;
        gain.cancelScheduledValues(now);
        gain.setValueAtTime(value, now);
        gain.linearRampToValueAtTime(each === key ? 1 : 0, now + FADE);
      }
    }
    this.tell();
  }

  // Loop over [from, to], or over all where region is null.
  loop(on, region = null) {
    const at = this.position();
    const was = this.playing;
    this.stopVoices();
    this.looping = on;
    this.region = region && region[1] - region[0] >= 0.05 ? region : null;
    this.offset = at;
    if (was) this.play();
    this.tell();
  }

  state() {
    const gains = {};
    for (const key of this.buffers.keys()) gains[key] = this.voices ? this.voices.gains.get(key).value : 0;
    const { playing, current, duration, looping, span } = this;
    return { playing, current, duration, looping, span, position: this.position(), gains };
  }

  tell() {
    for (const listener of this.listeners) listener();
  }

  stopVoices() {
    if (!this.voices) return;
    const { bus, sources } = this.voices;
    this.voices = null;
    const now = this.context.currentTime;
    const value = bus.gain.value;
    bus.gain.cancelScheduledValues(now);
    bus.gain.setValueAtTime(value, now);
    bus.gain.linearRampToValueAtTime(0, now + EDGE);
    for (const source of sources) source.stop(now + 2 * EDGE);
  }
}

// Bind the buttons of a transport to a player; `onframe(position)` is called as it moves.
function bindTransport(root, player, onframe = () => {}) {
  const [play, seek, shown, loop] = ["play", "seek", "position", "loop"].map((name) => root.querySelector(`[data-${name}]`));
  const move = () => {
    const at = player.position();
    seek.value = at;
    const text = `${at.toFixed(2)} / ${player.duration.toFixed(2)} s`;
    if (shown.textContent !== text) shown.textContent = text;
    seek.setAttribute("aria-valuetext", `${at.toFixed(1)} seconds`);
    onframe(at);
  };
  const frame = () => {
    move();
    if (player.playing) requestAnimationFrame(frame);
  };
  let was = false;
  player.listeners.push(() => {
    play.textContent = player.playing ? "Pause" : "Play";
    loop.checked = player.looping;
    seek.max = player.duration;
    if (player.playing && !was) requestAnimationFrame(frame);
    was = player.playing;
    move();
  });
  play.addEventListener("click", () => player.toggle());
  seek.addEventListener("input", () => player.seek(Number(seek.value)));
  loop.addEventListener("change", () => player.loop(loop.checked, player.region));
  root.querySelector("[data-from]").addEventListener("click", () => loopFrom(player));
  root.querySelector("[data-to]").addEventListener("click", () => loopTo(player));
  root.querySelector("[data-whole]").addEventListener("click", () => player.loop(true));
}

function loopFrom(player) {
  const at = player.position();
  player.loop(true, [at, player.region && player.region[1] > at ? player.region[1] : player.duration]);
}

function loopTo(player) {
  const at = player.position();
  player.loop(true, [player.region && player.region[0] < at ? player.region[0] : 0, at]);
}

// Bind the keys of the whole page while `active()`; `own(event)` sees them first and returns whether it took one.
function bindKeys(player, own, active = () => true) {
  document.addEventListener("keydown", (event) => {
    if (!active() || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const { target } = event;
    const type = target.tagName === "INPUT" ? target.type : target.tagName.toLowerCase();
    if (["select", "textarea", "text", "search", "number"].includes(type)) return;
    const taken = own(event) || commonKey(player, event, type);
    if (taken) event.preventDefault();
  });
}

function commonKey(player, event, type) {
  switch (event.key) {
    case " ":
      if (["button", "a", "summary", "checkbox"].includes(type)) return false; // what has the focus is meant
      player.toggle();
      return true;
    case "ArrowLeft":
    case "ArrowRight":
      player.seek(player.position() + (event.key === "ArrowLeft" ? -0.5 : 0.5));
      return true;
    case "l":
      player.loop(!player.looping, player.region);
      return true;
    case "[":
      loopFrom(player);
      return true;
    case "]":
      loopTo(player);
      return true;
    default:
      return false;
  }
}
