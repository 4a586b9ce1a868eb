"""Upscalers without learned weights, registered with srbench as any other package's would be."""
