"""The static site: leaderboards, upscalers, utterances to listen to, an ABX test. It works from ``file://``."""

from srbench.report.site.build import build_site

__all__ = ["build_site"]
