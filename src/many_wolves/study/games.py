"""The stages of the games that a study's speakers play beside its own trials."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from many_wolves.files import shipped
from many_wolves.study.asking import choices_stage, collect_stage
from many_wolves.study.casting import Cast
from many_wolves.study.fitting import sampling
from many_wolves.study.places import Places
from many_wolves.study.schema import GAMES, Fit, Game
from many_wolves.study.stages import Stage


def game_stages(game: Game, speakers: Sequence[Cast], fit: Fit, places: Places) -> Iterator[Stage]:
    """Openings, then play, choices and fit of every speaker; ``places`` are the game's."""
    yield _compile(game, places)
    for speaker in speakers:
        player = speaker.in_game(game)
        yield collect_stage(player, places)
        yield choices_stage(player, places, ("--task", GAMES))
        yield _fit(player, game, fit, places)


def _compile(game: Game, places: Places) -> Stage:
    command = ["compile", "--task", game.task, "--out", str(places.trials)]
    command += ["--seed", str(game.seed)]
    for option in ("groups", "partners"):
        if names := getattr(game, option):
            command += [f"--{option}", ",".join(names)]
    if game.sample is not None:
        command += ["--sample", str(game.sample)]
    return Stage(
        places.stage("compile"),
        tuple(command),
        reads=(shipped(f"task-data/{GAMES}"),),
        writes=(places.trials,),
    )


def _fit(player: Cast, game: Game, fit: Fit, places: Places) -> Stage:
    table = places.choices(player.name)
    command = ["fit", str(table), "--task", game.task, *sampling(fit)]
    command += ["--model", game.model] if game.model else []
    return Stage(
        places.stage("fit", player.name),
        (*command, "--out", str(places.fit(player.name))),
        reads=(table, shipped("game-model/stan_model")),
        writes=places.fit_files(player.name),
        after=(places.stage("choices", player.name),),
    )
