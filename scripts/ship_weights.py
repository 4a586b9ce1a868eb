#!/usr/bin/env python3
r"""Put a trained checkpoint among the weights that ship: narrowed, scored on held-out speakers, entered in the index.

    python scripts/ship_weights.py training/additive_b5_small/best.safetensors \
        --score vctk-speaker1-r4=path/to/vctk:p225,p240 --score demo=

Every ``--score PROTOCOL=DIR[:SPEAKERS]`` adds the means of model and spline on those recordings to the card, at the
stored precision, and those of the full precision beside them, so that the narrowing is seen to cost nothing.
"""

import argparse
import json
import subprocess
from pathlib import Path

from srbench_models.checkpoint import card_path, load_checkpoint, read_card, save_checkpoint
from srbench_models.training.validation import make_validation

from srbench import audio
from srbench.corpora import demo_corpus, open_corpus
from srbench.corpora.corpus import file_digest
from srbench.protocols import load_protocol

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = ROOT / "models" / "weights"
PAGE = ROOT / "docs" / "models.md"
BEGIN, END = "<!-- scores: made by scripts/ship_weights.py from the cards -->\n", "<!-- end of scores -->"


def main() -> None:
    """Ship one checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--store", default="float16", choices=["float32", "float16", "bfloat16", "int8"])
    parser.add_argument("--as", dest="word", default="", help="ship it as NETWORK-WORD, for --model NETWORK@WORD")
    parser.add_argument("--score", action="append", default=[], metavar="PROTOCOL=DIR[:SPEAKERS]")
    arguments = parser.parse_args()
    network, card = load_checkpoint(arguments.checkpoint)
    for key in ("format", "stored", "weights_sha256"):
        card.pop(key)
    if not card["training"].get("commit"):
        done = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        card["training"]["commit"] = done.stdout.strip()
    name = card["network"] + (f"-{arguments.word}" if arguments.word else "")
    path = save_checkpoint(WEIGHTS / f"{name}.safetensors", network, card, store=arguments.store)
    narrow, _ = load_checkpoint(path)
    card["scores"] = [score(text, network, narrow) for text in arguments.score]
    save_checkpoint(path, narrow, card, store=arguments.store)
    enter(name, path)
    PAGE.write_text(with_scores(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(json.dumps(read_card(card_path(path))["scores"], indent=2))
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e6:.1f} MB")


def score(text: str, full: object, narrow: object) -> dict:
    """Return the means of the model, at both precisions, and of the spline."""
    name, _, where = text.partition("=")
    folder, _, speakers = where.partition(":")
    protocol = load_protocol(name)
    corpus = open_corpus(folder) if folder else demo_corpus()
    chosen = [u for u in corpus.utterances if not speakers or u.speaker in speakers.split(",")]
    if folder and not speakers:
        split = protocol.load_split()
        chosen = [u for u in chosen if u.id in set(split.ids(protocol.side))]
    usable = [u for u in chosen if audio.info(u.path).sample_rate >= protocol.high_rate]
    validation = make_validation(usable, protocol, ())
    means = {
        "spline": validation.spline,
        "model": validation.scores(narrow, "cpu"),
        "full_precision": validation.scores(full, "cpu"),
    }
    return {
        "protocol": name,
        "corpus": Path(folder).name if folder else corpus.name,
        "speakers": sorted({u.speaker for u in usable}),
        "utterances": len(usable),
        **{who: {metric: round(value, 4) for metric, value in found.items()} for who, found in means.items()},
        "does_not_beat_the_spline_in": list(validation.verdict(means["model"]).worse),
    }


def with_scores(page: str) -> str:
    """Return the page with the table of what the cards say: SNR and LSD of the model, the spline's in brackets."""
    rows = ["| weights | trained on | protocol, recordings | SNR dB | LSD |", "|---|---|---|---|---|"]
    for path in sorted(WEIGHTS.glob("*.json")):
        card = read_card(path)
        training = card["training"]
        speakers = training["training_speakers"]
        who = f"{len(speakers)} speakers" if len(speakers) > 1 else speakers[0]
        on = f"{training['hours']:.1f} h, {who}, {training['steps']} steps"
        for scored in card["scores"]:
            where = f"{scored['protocol']}, {scored['utterances']} of `{scored['corpus']}`"
            values = [f"{scored['model'][m]:.{d}f} ({scored['spline'][m]:.{d}f})" for m, d in (("snr", 2), ("lsd", 3))]
            rows.append(f"| `{path.stem.replace('-', '@')}` | {on} | {where} | {' | '.join(values)} |")
    head, _, rest = page.partition(BEGIN)
    return head + BEGIN + "\n" + "\n".join(rows) + "\n\n" + END + rest.partition(END)[2]


def enter(name: str, path: Path) -> None:
    """Write the hash of a weights file into the index."""
    index = WEIGHTS / "index.toml"
    head, _, rest = index.read_text(encoding="utf-8").partition("[sha256]\n")
    hashes, _, aliases = rest.partition("\n# The best")
    kept = [line for line in hashes.splitlines() if line and not line.startswith(f"{name} ")]
    listed = "\n".join(sorted([*kept, f'{name} = "{file_digest(path)}"']))
    index.write_text(f"{head}[sha256]\n{listed}\n\n# The best{aliases}", encoding="utf-8")


if __name__ == "__main__":
    main()
