"use strict";

// Loads one utterance at a time: a script that calls srbenchClip with its audio (data cannot be fetched from file://).

const waiting = [];

function srbenchClip(clip) {
  waiting.shift()(clip);
}

let queue = Promise.resolve();

// Return the clip of a script's address. One after another, so that each call of srbenchClip answers the right one.
function loadClip(address) {
  const loaded = queue.then(
    () =>
      new Promise((resolve, reject) => {
        const script = document.createElement("script");
        waiting.push(resolve);
        script.onload = () => script.remove();
        script.onerror = () => {
          waiting.shift();
          script.remove();
          reject(new Error(`${address} cannot be loaded`));
        };
        script.src = address;
        document.head.append(script);
      }),
  );
  queue = loaded.catch(() => {});
  return loaded;
}

// Return a Map of version key to AudioBuffer, of the wanted keys that the clip has.
async function decodeClip(player, clip, wanted = null) {
  const keys = Object.keys(clip.versions).filter((key) => !wanted || wanted.includes(key));
  const buffers = await Promise.all(keys.map((key) => player.decode(clip.versions[key].flac)));
  return new Map(keys.map((key, place) => [key, buffers[place]]));
}

// Say by how much all versions of a chosen utterance were turned down, "" where they were not.
function gainText(option) {
  const gain = Number(option.dataset.gain);
  return gain < 0 ? `All versions are turned down by ${(-gain).toFixed(1)} dB, so that none clips.` : "";
}
