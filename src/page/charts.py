"""The charts, as Vega-Lite. Colours are the page's own variables, so that light and dark need no second drawing."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from src.evaluation.score_report import named

Record = dict[str, Any]
Spec = dict[str, Any]

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"
ROW_HEIGHT = 28
# The first of a pair is what the page is about, the second what it stands beside.
COLOURS, SHAPES, DASHES = ("var(--accent)", "var(--other)"), ("circle", "diamond"), ([1, 0], [5, 3])
FIT, PADDING = alt.AutoSizeParams(type="fit-x", contains="padding"), {"left": 0, "right": 6, "top": 4, "bottom": 8}
THIN: dict[str, Any] = {"stroke": "var(--muted)", "strokeDash": [3, 3]}


def intervals(rows: Sequence[Record], title: str, at: float) -> Spec:
    """Draw a point and its interval for every row, and a line at the value that means nothing.

    A row has `forecast`, `value`, `low`, `high`, and `side`, which is ours or theirs.
    """
    base = alt.Chart(_data(rows)).encode(
        y=alt.Y("forecast:N", sort=None, title=None),
        color=alt.Color("side:N", legend=None, scale=alt.Scale(domain=["ours", "theirs"], range=list(COLOURS))),
    )
    x: dict[str, Any] = {"title": title, "scale": alt.Scale(zero=False), "axis": alt.Axis(grid=True, tickCount=6)}
    ends = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", **x), x2="high:Q")
    points = base.mark_point(filled=True, size=70, opacity=1).encode(x=alt.X("value:Q", **x))
    return _finished(_line_at(at, "x") + ends + points, len(rows) * ROW_HEIGHT)


def lines(rows: Sequence[Record], series: Sequence[str], title: str) -> Spec:
    """Draw two series by `time`, as a line each."""
    months = alt.Axis(format="%b %Y", tickCount=6, grid=False, labelBound=True)
    chart = (
        alt.Chart(_data(_long(rows, "time", series)))
        .mark_line(strokeWidth=1.6)
        .encode(
            x=alt.X("time:T", title=None, scale=alt.Scale(type="utc"), axis=months),
            y=alt.Y("value:Q", title=title, axis=alt.Axis(grid=True)),
            strokeDash=alt.StrokeDash("series:N", scale=_scale(series, DASHES), title=None),
            **_coloured(series),
        )
    )
    return _finished(_line_at(1, "y") + chart, 280)


def beside(rows: Sequence[Record], part: str, series: Sequence[str], title: str) -> Spec:
    """Draw the AUC of two series for every part of the bars, side by side, and that of a coin."""
    chart = (
        alt.Chart(_data(_long(rows, part, series)))
        .mark_point(filled=True, size=90, opacity=1)
        .encode(
            x=alt.X(f"{part}:O", sort=None, title=title, axis=alt.Axis(labelAngle=0)),
            xOffset=alt.XOffset("series:N", sort=list(series)),
            y=alt.Y("value:Q", title="AUC", scale=alt.Scale(zero=False), axis=alt.Axis(grid=True, tickCount=6)),
            shape=alt.Shape("series:N", scale=_scale(series, SHAPES), title=None),
            **_coloured(series),
        )
    )
    return _finished(_line_at(0.5, "y") + chart, 220)


def calibration(rows: Sequence[Record]) -> Spec:
    """Draw the observed share of rises by the mean forecast, and the line on which they would be equal."""
    top = max(max(row["forecast"], row["observed"]) for row in rows)
    axis: dict[str, Any] = {"scale": alt.Scale(domain=[0, top], nice=True), "axis": alt.Axis(format="%", tickCount=5)}
    x, y = alt.X("forecast:Q", title="forecast", **axis), alt.Y("observed:Q", title="share that rose", **axis)
    ends = _data([{"forecast": end, "observed": end} for end in (0, top)])
    ideal = alt.Chart(ends).mark_line(**THIN).encode(x=x, y=y)
    line = alt.Chart(_data(rows)).mark_line(
        color="var(--accent)", strokeWidth=1.6, point=alt.OverlayMarkDef(color="var(--accent)", size=60, opacity=1)
    )
    return _finished(ideal + line.encode(x=x, y=y), 320)


def bars(rows: Sequence[Record], value: str, name: str, title: str, limit: float | None = None) -> Spec:
    """Draw a bar for every row, longest first, and a line at the limit if there is one."""
    axis = alt.Axis(format="%" if limit is None else ".2f", tickCount=6)
    chart = (
        alt.Chart(_data(rows))
        .mark_bar(color="var(--accent)", height={"band": 0.6})
        .encode(x=alt.X(f"{value}:Q", title=title, axis=axis), y=alt.Y(f"{name}:N", sort="-x", title=None))
    )
    drawn = [chart] if limit is None else [chart, _line_at(limit, "x")]
    return _finished(alt.LayerChart(layer=drawn), len(rows) * ROW_HEIGHT)


def _data(rows: Sequence[Record]) -> Record:
    """Return the rows as Vega-Lite takes them within a chart."""
    return {"values": list(rows)}


def _long(rows: Sequence[Record], at: str, series: Sequence[str]) -> list[Record]:
    """Turn a column for every series into a row for every value; what is unknown is left out."""
    return [
        {at: row[at], "series": named(name), "value": row[name]}
        for row in rows
        for name in series
        if row[name] is not None
    ]


def _scale(series: Sequence[str], looks: Sequence[Any]) -> alt.Scale:
    return alt.Scale(domain=[named(name) for name in series], range=list(looks))


def _coloured(series: Sequence[str]) -> dict[str, Any]:
    return {"color": alt.Color("series:N", scale=_scale(series, COLOURS), title=None)}


def _line_at(value: float, channel: str) -> alt.Chart:
    """Draw a dashed line across."""
    return alt.Chart(_data([{}])).mark_rule(**THIN).encode(**{channel: alt.datum(value)})


def _finished(chart: alt.LayerChart, height: float) -> Spec:
    """Set what all charts share: as wide as the page allows, no frame, quiet axes."""
    return (
        chart.properties(width="container", height=height, autosize=FIT)
        .configure(background="transparent", font=FONT, padding=PADDING)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor="var(--muted)",
            titleColor="var(--muted)",
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            gridColor="var(--line)",
            domainColor="var(--line)",
            tickColor="var(--line)",
            labelLimit=160,
        )
        .configure_legend(
            orient="top", labelColor="var(--ink)", labelFontSize=12, symbolSize=90, symbolStrokeWidth=2, offset=8
        )
        .to_dict()
    )
