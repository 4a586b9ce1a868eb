"""Where utterances come from: VCTK in both layouts, any folder, the embedded demo; splits, verification, download."""

from srbench.corpora.corpus import Corpus, Utterance, open_corpus
from srbench.corpora.demo import demo_corpus
from srbench.corpora.splits import Split, check_sides, load_split, speaker_of, split_names

__all__ = [
    "Corpus",
    "Split",
    "Utterance",
    "check_sides",
    "demo_corpus",
    "load_split",
    "open_corpus",
    "speaker_of",
    "split_names",
]
