"""The static site: leaderboards, upscalers, utterances to listen to, an ABX test."""
