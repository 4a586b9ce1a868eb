"""The ONNX file computes what torch does, at lengths and batches that it was not exported at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the networks need torch: pip install 'srbench[models]'")
onnxruntime = pytest.importorskip("onnxruntime", reason="the export needs srbench[onnx]")
pytest.importorskip("onnxscript", reason="the export needs srbench[onnx]")

from srbench_models.configurations import CONFIGURATIONS, configuration  # noqa: E402
from srbench_models.export import export_onnx  # noqa: E402

from srbench.cli.main import main  # noqa: E402
from srbench.errors import SrbenchError  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("join", ["concat", "add"])
def test_the_file_computes_the_same(tmp_path: Path, join: str):
    torch.manual_seed(0)
    made = configuration("unet", join=join, blocks=2, first_filters=8, max_filters=16, first_kernel=17).build().eval()
    torch.nn.init.normal_(made.output.weight, std=0.1)
    assert export_onnx(made, tmp_path / "net.onnx") < 1e-4
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    for batch, n in ((1, 8), (5, 8 * 123)):
        low = torch.randn(batch, 1, n)
        with torch.no_grad():
            expected = made(low).numpy()
        assert np.abs(session.run(None, {"low": low.numpy()})[0] - expected).max() < 1e-5


def test_the_body_of_the_network_for_every_pair_of_rates_computes_the_same(tmp_path: Path):
    torch.manual_seed(0)
    made = configuration("convnext_bwe", width=16, blocks=2).build().eval()
    assert export_onnx(made, tmp_path / "net.onnx") < 1e-4
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    features = torch.randn(2, 77, session.get_inputs()[0].shape[2])
    with torch.no_grad():
        expected = made.body(features)
    for found, wanted in zip(session.run(None, {"features": features.numpy()}), expected, strict=True):
        assert np.abs(found - wanted.numpy()).max() < 1e-4


def test_what_cannot_be_exported_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SrbenchError, match="spectral frames"):
        export_onnx(CONFIGURATIONS["dnn_bwe_small"].build(), tmp_path / "d.onnx")
    with pytest.raises(SrbenchError, match=r"ends in \.onnx"):
        export_onnx(CONFIGURATIONS["srcnn"].build(), tmp_path / "d.pt")
    with pytest.raises(SystemExit) as stopped:
        main(["export", str(tmp_path / "s.onnx"), "--model", "spline"])
    assert stopped.value.code == 2
    assert "has no ONNX form" in capsys.readouterr().err
