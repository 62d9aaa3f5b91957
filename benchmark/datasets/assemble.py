"""The last step of every loader: enforce what a data set promises, and leave out what breaks it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

from benchmark.datasets.group_split import group_split
from benchmark.datasets.patients import find_groups
from benchmark.datasets.tables import counted, left_out, some
from benchmark.types import Dataset, LabelledImage, Progress, Split, silent
from hmar.errors import ConfigError

_Checked = tuple[list[LabelledImage], list[str]]


def assemble(
    name: str,
    root: Path,
    images: Iterable[LabelledImage],
    problems: Iterable[str] = (),
    draw: bool = False,
    progress: Progress = silent,
) -> Dataset:
    """Make a data set of what a loader found.

    Left out, with one line for each reason, in this order: images that are listed but absent; a path that is
    listed again, where the first time counts; images of a group outside the split that has most of it;
    classes with a single image. Classes that occur in one split only stay, with a line. Images without a
    group get one first (:func:`benchmark.datasets.patients.find_groups`).

    Parameters
    ----------
    name : str
        The data set's name.
    root : Path
        Names in problems are relative to it.
    images : iterable of LabelledImage
        Candidates, in any order.
    problems : iterable of str
        What the loader left out itself.
    draw : bool
        Draw the split by :func:`group_split` with seed 0 instead of taking that of the images.
    progress : Progress
        Shown where pixels must be read to find groups.

    Raises
    ------
    ConfigError
        If a split has no image left.
    """
    kept, absent = _present(list(images), root)
    lines = [*problems, *absent]

    def grouped(images: Sequence[LabelledImage]) -> _Checked:
        return find_groups(images, draw, progress)

    for check in (_listed_once, grouped, _drawn if draw else _whole_groups, _several_of_a_class):
        kept, problem = check(kept)
        lines += problem
    _demand_sides(kept, lines, root)
    lines += _one_sided(kept)
    return Dataset(name, tuple(kept), tuple(sorted({image.label for image in kept})), tuple(lines))


def _present(images: Sequence[LabelledImage], root: Path) -> _Checked:
    here = [image.path.is_file() for image in images]
    absent = [image for image, there in zip(images, here, strict=True) if not there]
    kept = [image for image, there in zip(images, here, strict=True) if there]
    if not absent:
        return kept, []
    names = [image.path.relative_to(root).as_posix() for image in absent]
    return kept, [f"{counted(len(absent), 'listed image')} absent, {left_out(names)}"]


def _listed_once(images: Sequence[LabelledImage]) -> _Checked:
    first = {image.path: image for image in reversed(images)}
    again = len(images) - len(first)
    kept = [image for image in images if first[image.path] is image]
    return kept, [f"{counted(again, 'repeated line')} left out"] if again else []


def _drawn(images: Sequence[LabelledImage]) -> _Checked:
    return list(group_split(images)), []


def _whole_groups(images: Sequence[LabelledImage]) -> _Checked:
    sides: dict[str, Counter[Split]] = defaultdict(Counter)
    for image in images:
        sides[image.group][image.split] += 1
    home = {group: max(get_args(Split), key=count.__getitem__) for group, count in sides.items()}
    kept = [image for image in images if image.split == home[image.group]]
    divided = sum(len(count) > 1 for count in sides.values())
    if not divided:
        return kept, []
    out = counted(len(images) - len(kept), "image")
    return kept, [
        f"{counted(divided, 'group')} in more than one split: kept where most images are, {out} left out"
    ]


def _several_of_a_class(images: Sequence[LabelledImage]) -> _Checked:
    count = Counter(image.label for image in images)
    single = sorted(label for label, number in count.items() if number == 1)
    kept = [image for image in images if count[image.label] > 1]
    what = counted(len(single), "class", "classes")
    return kept, [f"{what} with a single image, left out: {some(single)}"] if single else []


def _demand_sides(images: Sequence[LabelledImage], problems: Sequence[str], root: Path) -> None:
    empty = [side for side in get_args(Split) if not any(image.split == side for image in images)]
    if empty:
        known = f" ({'; '.join(problems)})" if problems else ""
        raise ConfigError(
            f"No image is left in the split {' nor in '.join(empty)} of {root}{known}.",
            "Each of train, val and test needs images, of more than one group; correct the lists or --root.",
        )


def _one_sided(images: Sequence[LabelledImage]) -> list[str]:
    labels = {side: {image.label for image in images if image.split == side} for side in get_args(Split)}
    every = set().union(*labels.values())
    lines = []
    for side, consequence in (("train", "their queries find nothing"), ("test", "nothing asks for them")):
        if missing := sorted(every - labels[side]):
            what = counted(len(missing), "class", "classes")
            lines.append(f"{what} without an image in {side}, {consequence}: {some(missing)}")
    return lines
