"""ssr_eval in its own process: reads what to do from standard input, answers with the seconds that it took.

Where there is no `sox`, the call of it is replaced by a copy of the file, which is at the right rate already: that
favours ssr_eval. Nothing else of it is changed: its SSIM passes ``data_range`` since 0.0.7.
"""

from __future__ import annotations

import contextlib
import io
import shlex
import shutil
import sys
import time
from pathlib import Path

import librosa
import numpy as np
import ssr_eval.eval
import torch
from ssr_eval.metrics import AudioMetrics

RATE, LOW_RATE = 44100, 8000


class Identity(ssr_eval.eval.BasicTestee):
    """A system that returns its input, which ssr_eval gives at the high rate."""

    def infer(self, x):
        """Return the input."""
        return x


def main(folder: Path) -> None:
    """Answer until the input ends."""
    torch.set_num_threads(1)
    if shutil.which("sox") is None:
        ssr_eval.eval.os.system = lambda command: shutil.copy(shlex.split(command)[1], "temp.wav") and 0
    references = sorted((folder / "data").rglob("*.wav"), key=lambda path: path.name)
    paths = [(path, folder / "estimate" / path.name) for path in references]
    loaded = [[librosa.load(path, sr=None)[0] for path in pair] for pair in paths]
    scorer = AudioMetrics(RATE)
    helper = ssr_eval.eval.SSR_Eval_Helper(
        Identity(),
        input_sr=RATE,
        output_sr=RATE,
        evaluation_sr=RATE,
        test_data_root=str(folder / "data"),
        setting_fft={"cutoff_freq": [LOW_RATE // 2]},
    )
    for line in sys.stdin:
        what = line.strip()
        kind = np.float64 if what == "float64" else np.float32
        items = [[each.astype(kind) for each in pair] for pair in loaded]
        started = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            if what == "whole":
                helper.evaluate()
            else:
                for reference, estimate in items:
                    scorer.evaluation(estimate, reference, "")
        print("seconds", time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
