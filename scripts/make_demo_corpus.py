#!/usr/bin/env python3
"""Make the embedded demo corpus: 28 utterances of synthetic English speech.

The speech comes from hibari-tts and its one bundled voice ("heart", native
rate 24 kHz), so nothing is downloaded at run time. Install, in an environment
of its own::

    python3 -m venv tts-env
    tts-env/bin/pip install hibari-tts==0.2.1 onnxruntime==1.32.0 \
        numpy==2.4.6 soundfile==0.14.0
    tts-env/bin/python scripts/make_demo_corpus.py srbench/corpora/data/demo

Do not install scipy there: hibari-tts would use its FFT, which rounds
differently. With these versions the same seed gives byte-identical files on
the same machine; other CPU types may differ in the last bits of a sample.
"""

import argparse
import csv
import hashlib
from pathlib import Path

import hibari.dsp
import numpy as np
import soundfile as sf
from hibari import Hibari

SPEAKER = "demo1"
VOICE = "heart"
PEAK_DBFS = -3.0  # upper limit; louder utterances are scaled down to it
EDGE_S = 0.15  # silence kept before and after the speech
SILENCE_DB = -45.0  # a frame this far below the loudest one is silence
FRAME_S = 0.01

SENTENCES = (
    "She sells fresh fish and chips from a small shop near the north shore.",
    "Six thick sticks stood straight beside the frozen pond, just past the fishing shack.",
    "Could you please pass the sweet tea, the toast, and a pinch of sea salt?",
    "The first train to Chester leaves at seven fifteen from platform six, and the next one at half past eight.",
    "Jack's boots squeaked across the kitchen tiles, and the cat ran off to hide.",
    "A soft breeze shook the birch leaves, then everything hushed as the storm passed south.",
    "We paid thirty-six dollars for both tickets, plus a four dollar service charge.",
    "Fetch the brush, the bucket and a fresh cloth before you scrub the front steps.",
    "Why does the zipper on this jacket always catch at exactly the same spot?",
    "Her cheese sauce needs a touch of mustard, six eggs, half a cup of cream, and plenty of patience.",
    "The physics teacher sketched a circuit and asked us to check each switch twice.",
    "Both brothers thought the path through the forest was the shortest of all.",
    "Please switch off the television, finish your French exercises, and put the dishes back on the shelf.",
    "Fuzzy yellow bees buzz lazily over zinnias, roses and a dozen daisies.",
    "Professor Hughes usually measures the pressure twice, just to be sure that the valve is safe.",
    "The chef chopped some celery, squeezed a fresh lime, and tossed in the last of the spices.",
    "I think it costs about two hundred and sixty-five euros, taxes excluded.",
    "Strong gusts swept dust and bits of straw across the empty tennis courts.",
    "He whispered something short, laughed, and vanished through the side exit before the speech had finished.",
    "Have you ever watched the sunset from the top of that old lighthouse?",
    "Thick ice cracked with a sharp hiss as the ship pushed its way towards the harbor.",
    "My youngest cousin collects stamps, sea shells, postcards, bus tickets and bits of polished glass.",
    "Just add the chopped garlic, stir for eight minutes, and serve it at once.",
    "The judge dismissed both charges because the evidence was far too vague to convince a fair jury.",
    "On Thursday the fifth of March, the city museum opens its Egyptian exhibition.",
    "Polish the brass handles with vinegar, then dry them using a soft cotton towel or a piece of felt.",
    "Few visitors notice the tiny staircase hidden behind the castle's chapel.",
    "Thanks for stopping by this afternoon, and please fasten the gate as you set off for the coast.",
)


def trim(audio, rate):
    """Cut the silence at both ends down to at most `EDGE_S` seconds.

    Parameters
    ----------
    audio : ndarray
        Mono signal.
    rate : int
        Sampling rate in Hz.

    Returns
    -------
    ndarray
        The part of `audio` from `EDGE_S` before the first frame with speech
        to `EDGE_S` after the last one.
    """
    hop = round(FRAME_S * rate)
    frames = audio[: len(audio) // hop * hop].reshape(-1, hop)
    level = np.sqrt(np.mean(frames.astype(np.float64) ** 2, axis=1))
    speech = np.flatnonzero(level > level.max() * 10 ** (SILENCE_DB / 20))
    edge = round(EDGE_S * rate)
    return audio[max(0, speech[0] * hop - edge) : (speech[-1] + 1) * hop + edge]


def to_int16(audio):
    """Scale the peak down to `PEAK_DBFS` where it is higher; round to 16 bits."""
    limit = 10 ** (PEAK_DBFS / 20)
    gain = min(1.0, limit / np.max(np.abs(audio)))
    return np.rint(audio.astype(np.float64) * gain * 32767).astype(np.int16)


def main():
    """Synthesise the sentences; write the FLAC files and ``manifest.csv``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path, help="output folder")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    args = parser.parse_args()
    if hibari.dsp.FFT_BACKEND != "numpy":
        parser.error("uninstall scipy first: it changes the last bits of the audio")

    args.output.mkdir(parents=True, exist_ok=True)
    tts = Hibari(voice=VOICE, threads=1)
    rate = tts.sample_rate
    rows = []
    for number, text in enumerate(SENTENCES, start=1):
        name = f"{SPEAKER}_{number:03d}"
        path = args.output / f"{name}.flac"
        pcm = to_int16(trim(tts(text, seed=[args.seed, number]), rate))
        sf.write(path, pcm, rate, format="FLAC", subtype="PCM_16")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        rows.append((name, SPEAKER, f"{len(pcm) / rate:.3f}", digest, text))

    with open(args.output / "manifest.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("utterance", "speaker", "duration_s", "sha256", "text"))
        writer.writerows(rows)


if __name__ == "__main__":
    main()
