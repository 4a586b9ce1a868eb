"""srbench: a benchmark for audio super-resolution (bandwidth extension) whose numbers can be trusted."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srbench.errors import SrbenchError as SrbenchError
    from srbench.scoring import score as score

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "score":  # loaded when it is used: `import srbench` pulls in nothing
        from srbench.scoring import score

        return score
    if name == "SrbenchError":
        from srbench.errors import SrbenchError

        return SrbenchError
    raise AttributeError(f"module 'srbench' has no attribute '{name}'")
