"""The errors that callers of `ecg` can act on."""


class InputError(ValueError):
    """What was sent cannot be an ECG; names the field, the problem and what would be accepted."""

    def __init__(self, field: str, problem: str, accepted: str) -> None:
        super().__init__(f"{field}: {problem}; accepted: {accepted}")
        self.field = field
        self.problem = problem
        self.accepted = accepted


class ArtefactError(RuntimeError):
    """A model artefact is missing, altered, or made for another version of this code."""
