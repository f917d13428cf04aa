"""Settings of speakers that the design of a task proposes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from many_wolves.collection import Trials
from many_wolves.errors import SettingError, WolvesError
from many_wolves.files import read_json_object
from many_wolves.speakers.speaker_request import LOCAL, SpeakerRequest, describe


def as_proposed(
    wanted: SpeakerRequest, trials: Trials, say: Callable[[str], None]
) -> list[SpeakerRequest]:
    """The speaker with the settings that the design of the trials proposes.

    The user's settings have priority. Settings that the speaker does not support are left out with
    a notice. A setting with
    several values gives several speakers.
    """
    path = trials.path
    manifest = path.with_name(path.name.removesuffix(".jsonl") + ".manifest.json")
    if wanted.provider == "simulated" or not manifest.is_file():
        return [wanted]
    if wanted.mode == "score" and not (wanted.thinks or trials.sampled):
        return [wanted]
    fix = "make the trials again with `wolves compile`, or remove this file"
    proposed = read_json_object(manifest, fix).get("asked_with", {})
    if not _proposals(proposed):
        raise WolvesError(
            f"expected numbers by setting in `asked_with`, found {proposed!r:.60}",
            where=manifest,
            fix=fix,
        )
    found = [wanted]
    for name, values in proposed.items():
        # An API's own limit leaves room for the requested reasoning.
        local = wanted.provider in LOCAL
        if getattr(wanted, name) is not None or (name == "max_tokens" and not local):
            continue
        told = ", ".join(f"{value:g}" for value in values)
        if local or _takes(replace(wanted, **{name: values[0]})):
            found = [replace(one, **{name: value}) for value in values for one in found]
            say(f"{name} {told}, from the design of the trials.")
        else:
            say(
                f"The design of the trials has {name} {told}, but this speaker does not support it."
            )
    return found


def _proposals(value: object) -> bool:
    """Whether a value maps settings of speakers to numbers."""
    return isinstance(value, dict) and all(
        name in SpeakerRequest.__dataclass_fields__
        and isinstance(numbers, list)
        and numbers
        and all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers)
        for name, numbers in value.items()
    )


def _takes(wanted: SpeakerRequest) -> bool:
    """Whether a speaker supports all of its settings; other errors appear when it is asked."""
    try:
        describe(wanted)
    except SettingError:
        return False
    except WolvesError:
        return True
    return True
