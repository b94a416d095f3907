"""Published figures to compare with, as data.

Brier score: B. Letham, P. Guan, C. Tymms, E. Bakshy & M. Shvartsman (2022), AISTATS, arXiv 2203.09751; 10
Sobol trials, then adaptive, fitted anew every 10. Their longest runs, of 490 or 740 trials, stand under
`LONGEST`.
Threshold RMSE: L. Owen, J. Browder, B. Letham, G. Stocek, C. Tymms & M. Shvartsman (2021), arXiv 2104.09549;
5 Sobol trials; discrimination by straddle with a monotone model; the audiogram in dB.
AEPsych 0.8's default model on Sobol trials: measured, 20 repeats.
"""

from __future__ import annotations

LONGEST = 490

_LETHAM = (50, 100, 250, LONGEST)


def _columns(trials: tuple[int, ...], *figures: float) -> dict[int, float]:
    return dict(zip(trials, figures, strict=True))


#: Mean Brier score by problem, method and number of trials.
BRIER: dict[str, dict[str, dict[int, float]]] = {
    "discrimination": {
        "Sobol": _columns(_LETHAM, 0.082, 0.0675, 0.0518, 0.0425),
        "straddle": _columns(_LETHAM, 0.070, 0.0455, 0.0231, 0.0155),
        "EAVC": _columns(_LETHAM, 0.086, 0.0585, 0.0291, 0.0180),
        "GlobalMI": _columns(_LETHAM, 0.085, 0.0568, 0.0304, 0.0226),
        "ApproxGlobalSUR": _columns(_LETHAM, 0.065, 0.0420, 0.0243, 0.0190),
    },
    "discrimination-8d": {
        "Sobol": _columns(_LETHAM, 0.405, 0.3495, 0.234, 0.165),
        "straddle": _columns(_LETHAM, 0.403, 0.3605, 0.359, 0.215),
        "EAVC": _columns(_LETHAM, 0.453, 0.4293, 0.274, 0.136),
        "GlobalMI": _columns(_LETHAM, 0.437, 0.3911, 0.233, 0.139),
        "ApproxGlobalSUR": _columns(_LETHAM, 0.423, 0.3787, 0.236, 0.134),
    },
    "hartmann-6": {
        "Sobol": _columns(_LETHAM, 0.395, 0.337, 0.248, 0.193),
        "straddle": _columns(_LETHAM, 0.394, 0.335, 0.255, 0.190),
        "EAVC": _columns(_LETHAM, 0.466, 0.377, 0.246, 0.169),
        "GlobalMI": _columns(_LETHAM, 0.453, 0.360, 0.233, 0.170),
    },
    "contrast": {
        "Sobol": _columns(_LETHAM, 0.486, 0.436, 0.243, 0.149),
        "straddle": _columns(_LETHAM, 0.487, 0.421, 0.251, 0.174),
        "EAVC": _columns(_LETHAM, 0.484, 0.450, 0.264, 0.138),
        "GlobalMI": _columns(_LETHAM, 0.472, 0.431, 0.245, 0.142),
    },
}

#: Mean Brier score of AEPsych 0.8's default model after Sobol trials, by problem.
PEER_SOBOL: dict[str, dict[int, float]] = {
    "discrimination": _columns((25, 50, 100, 250), 0.106, 0.093, 0.083, 0.072),
    "discrimination-8d": _columns((25, 50, 100, 250), 0.417, 0.376, 0.339, 0.251),
    "hartmann-6": _columns((25, 50, 100, 250), 0.484, 0.427, 0.359, 0.250),
}

_OWEN = (25, 50, 100, 145)

#: Root mean squared error of the threshold.
THRESHOLD_RMSE: dict[str, dict[str, dict[int, float]]] = {
    "detection": {
        "Sobol": _columns(_OWEN, 0.277, 0.206, 0.159, 0.144),
        "straddle": _columns(_OWEN, 0.185, 0.109, 0.069, 0.056),
    },
    "discrimination": {"straddle": _columns(_OWEN, 0.120, 0.077, 0.061, 0.052)},
    "audiogram": {
        "straddle": _columns(_OWEN, 6.1, 4.4, 3.8, 3.5),
        "BALD": _columns(_OWEN, 13.4, 9.5, 7.5, 6.9),
    },
}

_METRICS = {"brier": BRIER, "threshold_rmse": THRESHOLD_RMSE}


def published(metric: str, problem: str, method: str, trials: int) -> float | None:
    """A figure, or None where there is none."""
    found = _METRICS.get(metric, {}).get(problem, {}).get(method, {})
    return found.get(LONGEST if trials in (490, 740) else trials)


def peer_on_sobol(metric: str, problem: str, method: str, trials: int) -> float | None:
    """The peer's figure for Sobol trials, or None where there is none."""
    found = PEER_SOBOL.get(problem, {}) if metric == "brier" and method == "Sobol" else {}
    return found.get(trials)
