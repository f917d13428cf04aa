"""Options for users, declared once and checked alike on the command line, in YAML and in Python.

A cognitive model and the design of a task each declare theirs as a pydantic model. The
options of ``wolves fit`` and ``wolves compile``, the sections of a study file and the
keyword arguments of the Python functions follow from these declarations.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails

from many_wolves.errors import EMPTY_PATH, WolvesError
from many_wolves.sources import nearest


class OptionError(ValueError):
    """A value that a validator rejects, with a fix.

    ``fields`` is the path from the validated value to the invalid field.
    """

    def __init__(self, problem: str, fix: str, fields: tuple[str | int, ...] = ()) -> None:
        super().__init__(problem)
        self.fix = fix
        self.fields = fields


def _split(value: Any) -> Any:
    """Text with commas as a list of names; other values unchanged."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
"""Several names: a list, or text that separates them by commas."""


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """The parts of a union; any other type alone."""
    return get_args(annotation) or (annotation,)


class Options(BaseModel):
    """Options by name; an unknown name or a value of the wrong type is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _no_empty_path(cls, value: Any, info: ValidationInfo) -> Any:
        field = cls.model_fields[str(info.field_name)]
        if isinstance(value, str) and not value.strip() and Path in _kinds(field.annotation):
            raise OptionError("expected a path, found an empty text", EMPTY_PATH)
        return value

    @classmethod
    def read(cls, given: Mapping[str, Any], *, of: str = "", where: str = "") -> Self:
        """The options with ``given`` values, and defaults for the rest.

        Parameters
        ----------
        given
            Values by field name; text is converted, as from a command line.
        of
            Owner of the options, for the error: ``the model 'polite-speaker'``.
        where
            File that they come from, for the error.

        Raises
        ------
        WolvesError
            If a name is unknown (with the nearest known one) or a value is not allowed.
        """
        try:
            return cls.checked(given)
        except OptionError as fault:
            name = ".".join(map(str, fault.fields))
            owner = f" of {of}" if of else ""
            what = f"option {name!r}{owner}: " if name else ""
            raise WolvesError(f"{what}{fault}", where=where or None, fix=fault.fix) from None

    @classmethod
    def checked(cls, given: Mapping[str, Any]) -> Self:
        """The options with ``given`` values, for validators of an enclosing model.

        Raises
        ------
        OptionError
            If a name is unknown or a value is not allowed.
        """
        try:
            return cls.model_validate(dict(given))
        except ValidationError as invalid:
            fault = invalid.errors()[0]
            problem, fix = explain(fault, cls._fields_beside(fault["loc"]))
            raise OptionError(problem, fix, fault["loc"]) from None

    @classmethod
    def _fields_beside(cls, path: tuple[str | int, ...]) -> list[str]:
        """Names of the fields in the section that holds the field at ``path``."""
        if len(path) > 1 and (field := cls.model_fields.get(str(path[0]))) is not None:
            section = field.annotation
            if isinstance(section, type) and issubclass(section, Options):
                return section._fields_beside(path[1:])
        return list(cls.model_fields)

    def chosen(self) -> dict[str, Any]:
        """The options that differ from their defaults, by name."""
        names = [name for name in type(self).model_fields if name in self.model_fields_set]
        return {name: getattr(self, name) for name in names}


class ModelOptions(Options):
    """Options of a cognitive model: arguments of its ``problem``."""

    def check_design(self, design: Design) -> None:
        """Reject a design whose answers cannot be fitted with these options.

        Raises
        ------
        OptionError
            With the name of the option.
        """


class Design(Options):
    """The design of a task: the fields that every task has.

    A task's own model adds the factors of its design. Fields that are declared with
    ``Field(description=...)`` show that text in the help of ``wolves compile``.
    """

    seed: int = Field(default=1, description="Seed of all chance in the design.")

    in_studies: ClassVar[Mapping[str, Any]] = {}
    """Defaults in studies, for fields that the study file leaves out."""
    parts: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Part of the task, by its name for ``wolves compile --task`` -> values that select it."""

    def files(self) -> tuple[Path, ...]:
        """Files and folders that are read; a study compiles again if one of them changes."""
        return ()


def explain(fault: ErrorDetails, known: Collection[str]) -> tuple[str, str]:
    """Describe an error of pydantic and its fix in words.

    Parameters
    ----------
    fault
        One entry of ``ValidationError.errors()``.
    known
        Names of the other fields in the section.
    """
    kind, context = fault["type"], fault.get("ctx", {})
    name = str(fault["loc"][-1]) if fault["loc"] else ""
    found = repr(fault["input"])
    if kind == "extra_forbidden":
        return f"expected a known field, found {name!r}", nearest(name, known)
    if kind == "missing":
        return _missing(fault["loc"][-1])
    if kind == "literal_error":
        allowed = [
            part.strip("'") for part in context["expected"].replace(" or ", ", ").split(", ")
        ]
        return f"expected {context['expected']}, found {found}", nearest(
            str(fault["input"]), allowed
        )
    if kind == "value_error":
        error = context["error"]
        return str(error), getattr(error, "fix", "correct this value")
    if kind in _WORDS:
        expected, fix = _WORDS[kind]
        if kind.startswith("string") and isinstance(fault["input"], bool | int | float):
            fix = "put quotation marks around it: without them, YAML does not read it as text"
        elif kind in _LISTS and isinstance(fault["input"], str):
            fix = f"write [{fault['input']}]"
        return f"expected {expected}, found {found}", fix
    expected = fault["msg"].removeprefix("Input should be ").removeprefix("Input should have ")
    if kind.startswith(("greater_than", "less_than")):
        expected = f"a number {expected}"
    if kind == "too_long":
        expected, found = f"at most {context['max_length']} values", context["actual_length"]
    if kind == "string_pattern_mismatch":
        expected = "letters, digits, dots, dashes, underscores"
    return f"expected {expected}, found {found}", f"write {expected}"


def _missing(at: str | int) -> tuple[str, str]:
    """Error and fix for a field without a value, or a place of a list."""
    if isinstance(at, int):
        return f"expected a value at place {at + 1} of the list, found none", "add the value"
    return "expected this field, found none", f"add `{at}: ...`"


_LISTS = ("tuple_type", "list_type")
_WORDS = {
    **dict.fromkeys(_LISTS, ("a list", "write [ONE, TWO], or one line `- NAME` for each")),
    **dict.fromkeys(
        ("dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type"),
        ("fields with their values", "write `NAME: VALUE` for each"),
    ),
    **dict.fromkeys(("string_type", "string_sub_type"), ("text", "write text")),
    **dict.fromkeys(("bool_type", "bool_parsing"), ("true or false", "write true or false")),
    **dict.fromkeys(
        ("int_type", "int_parsing", "int_from_float"), ("a whole number", "write digits alone")
    ),
    **dict.fromkeys(("float_type", "float_parsing"), ("a number", "write a number such as 0.5")),
    **dict.fromkeys(("path_type",), ("a path", "write the path of a file or folder")),
}
"""Type of error, as pydantic calls it -> what is expected, and the fix."""
