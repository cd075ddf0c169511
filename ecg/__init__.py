"""What an electrocardiogram is: beats, classes, scores and the classifier that serves them.

Everything that training and serving share lives here once. Imports numpy, scipy and the
inference runtime; never the web framework, never the training frameworks.
"""
