"""The answer of a check."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from ..shapes import JsonObject


@dataclass(frozen=True)
class Verdict:
    """Whether a model is taken, and what it does."""

    model_type: str
    taken: bool
    reason: str | None = None  # why it is refused
    traits: JsonObject = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)  # relative differences, by placement
    notes: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    checked: bool = True  # false where what a check needs is not installed

    def as_json(self) -> JsonObject:
        """As ``--format json`` prints it."""
        return {"verdict": self._word, **asdict(self)}

    @property
    def _word(self) -> str:
        if not self.checked:
            return "unchecked"
        return "taken" if self.taken else "refused"

    def as_text(self) -> str:
        """A line with the verdict, and one for every note."""
        notes = [f"note: {note}" for note in self.notes]
        if not self.taken:
            return "\n".join([f"{self._word}: {self.model_type}: {self.reason}", *notes])
        worst = max(self.figures.values(), default=0.0)
        line = f"taken: {self.model_type}: at most {worst:.1e} from its own losses and gradients, relative"
        return "\n".join([line, *notes])
