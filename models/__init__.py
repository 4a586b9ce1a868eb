"""The networks of srbench: the U-Nets of the field, their training, and the weights that come with them.

They are registered like a stranger's plug-in, through the entry points ``srbench.upscalers`` and ``srbench.trainers``.
All need torch: ``pip install 'srbench[models]'``, and ``'srbench[train]'`` to train them.
"""
