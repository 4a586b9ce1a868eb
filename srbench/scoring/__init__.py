"""Scores for audio that was made elsewhere: pairs of files or arrays, looked at before they are measured."""

from srbench.scoring.pair import Score, score, score_pair
from srbench.scoring.repair import Repairs
from srbench.scoring.warning import KINDS, Effect, PairWarning

__all__ = ["KINDS", "Effect", "PairWarning", "Repairs", "Score", "score", "score_pair"]
