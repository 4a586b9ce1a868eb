"""srbench as a library: what `import srbench` offers, on top of the same engine as the commands."""
