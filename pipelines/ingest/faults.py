"""What can be wrong with a delivery, said once for the person who has to act on it."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.settings import InputError


# Not frozen: Python itself writes the traceback of an exception.
@dataclass(eq=False)
class DeliveryFault(InputError):
    """A fault of a whole delivery: nothing of it is landed. Prints as one line."""

    contract: str
    source: str
    date: str
    rule: str
    file: str
    message: str
    action: str

    def __str__(self) -> str:
        return (
            f"{self.contract} from {self.source}, {self.date}: {self.rule}: {self.file}: {self.message}; {self.action}"
        )


class IngestError(InputError):
    """Every feed that stopped in a run, one line each."""

    def __init__(self, faults: list[DeliveryFault]) -> None:
        self.faults = faults
        noun = "delivery" if len(faults) == 1 else "deliveries"
        super().__init__(f"{len(faults)} {noun} refused:\n" + "\n".join(f"  {fault}" for fault in faults))
