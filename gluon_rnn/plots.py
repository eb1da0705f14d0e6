"""Pictures of what the networks beyond the language model do."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Mapping, Sequence

import numpy as np

from .report import new_figure, save_figure


def plot_confusion(path: Path, matrix: np.ndarray, images: Any, answers: np.ndarray, *, title: str = '', most: int = 30) -> None:
    """The confusion matrix, and beside it the first misread images, under each what it shows and what was answered.

    matrix: (classes, classes), rows for what was shown; images: `Images`; answers: (number,) the class named for each.
    """
    figure, (left, right) = new_figure(11.5, 5.4, ncols=2, width_ratios=[1.15, 1])
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    wrong_shares = np.where(np.eye(len(matrix), dtype=bool), np.nan, shares)
    left.imshow(np.where(np.eye(len(matrix), dtype=bool), shares, np.nan), cmap='Greens', vmin=0, vmax=2)
    left.imshow(wrong_shares, cmap='Reds', vmin=0, vmax=max(2 * np.nanmax(wrong_shares), 1e-9))
    for shown, answered in np.ndindex(*matrix.shape):
        if matrix[shown, answered]:
            left.text(answered, shown, matrix[shown, answered], ha='center', va='center', fontsize=9,
                      fontweight='bold' if shown == answered else 'normal')
    classes = range(len(matrix))
    left.set_xticks(classes, classes)
    left.set_yticks(classes, classes)
    left.set_xlabel('answered')
    left.set_ylabel('shown')
    left.tick_params(length=0)
    accuracy = np.trace(matrix) / matrix.sum()
    left.set_title(f'{title}\n{accuracy:.2%} of {matrix.sum():,} right'.strip())
    _draw_misread(right, images, answers, most)
    save_figure(figure, path)


def _draw_misread(axes: Any, images: Any, answers: np.ndarray, most: int) -> None:
    wrong = np.flatnonzero(images.y != answers)
    axes.axis('off')
    shown = wrong[:most]
    part = f'all {len(wrong)}' if len(shown) == len(wrong) else f'{len(shown)} of the {len(wrong)}'
    axes.set_title(f'{part} misread: shown → answered' if len(wrong) else 'none misread')
    columns = 6
    for k, i in enumerate(shown):
        row, column = divmod(k, columns)
        box = axes.inset_axes((column / columns + .01, 1 - (row + 1) / 5 + .035, 1 / columns - .02, 1 / 5 - .045))
        box.imshow(images.X[i], cmap='gray_r', vmin=0, vmax=1)
        box.axis('off')
        box.text(.5, -.03, f'{images.y[i]} → {answers[i]}', transform=box.transAxes, ha='center', va='top', fontsize=9)


def plot_waves(path: Path, target: np.ndarray, waves: Dict[str, np.ndarray], errors: Mapping[str, Sequence[float]]) -> None:
    """Each network's wave over the target, and under them the errors over the epochs. All by the network's label."""
    figure, axes = new_figure(9, 2 + 1.6 * len(waves), nrows=len(waves) + 1, height_ratios=[1] * len(waves) + [1.6])
    for k, (ax, (label, wave)) in enumerate(zip(axes, waves.items())):
        ax.plot(target, color='0.75', linewidth=3, label='target')
        ax.plot(wave, color=f'C{k}', linewidth=1.4)
        ax.set_title(f'{label}: error {errors[label][-1]:.3f}', loc='left', fontsize=10)
        ax.set_ylim(-1.25, 1.25)
        ax.set_xlim(0, len(target) - 1)
        ax.set_yticks([-1, 0, 1])
        axes[-1].plot(range(1, len(errors[label]) + 1), errors[label], color=f'C{k}', label=label, linewidth=1.4)
    axes[len(waves) - 1].set_xlabel('sample')
    axes[-1].set_yscale('log')
    axes[-1].yaxis.set_major_formatter('{x:g}')
    axes[-1].set_xlabel('epoch')
    axes[-1].set_ylabel('squared error /\nvariance of the target')
    axes[-1].grid(True, which='major', alpha=0.3)
    axes[-1].legend(frameon=False, fontsize=9, loc='lower left')
    for ax in axes:
        ax.spines[['top', 'right']].set_visible(False)
    save_figure(figure, path)
