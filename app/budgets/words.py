"""Limits in words: `1.2 M tokens`, `$4.20`, `90 minutes`."""

from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

from app.budgets.rows import AlertRow, Measure, Span, Status

SPAN_WORDS: dict[Span, str] = {"run": "this run", "task": "this task", "day": "this project today"}
WORDS: dict[Status, str] = {
    "near": "a warning",
    "passed": "passed, with a warning",
    "stopped": "ended the run",
    "open": "asks",
    "raised": "raised",
    "once": "let go on this once",
    "ended": "stopped",
    "withdrawn": "taken back",
}


def amount(measure: Measure, value: Decimal | None) -> str:
    """A value with its unit; `unknown` for one that nobody knows."""
    if value is None:
        return "unknown"
    if measure == "money":
        return money(value)
    whole = int(value.to_integral_value(ROUND_FLOOR))
    unit = measure if whole != 1 else measure.removesuffix("s")
    return f"{whole:,} {unit}"


def money(value: Decimal | None) -> str:
    """USD: `$12.40`; of less than a cent as much as says something."""
    if value is None:
        return "unknown"
    cents = value.quantize(Decimal("0.01"), ROUND_HALF_UP)
    small = value.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    return f"${cents:,}" if cents >= Decimal("0.1") or small == cents else f"${small}"


def reached(span: Span, measure: Measure, used: Decimal, most: Decimal) -> str:
    """`This run has used 1,200 tokens, and its limit is 1,000 tokens.`"""
    who = SPAN_WORDS[span]
    return f"{who[0].upper()}{who[1:]} has used {amount(measure, used)}; the limit is {amount(measure, most)}."


def told(alert: AlertRow) -> str:
    """What happened to an alert, as a line of its session."""
    match alert.status:
        case "near":
            return f"Near a limit: {alert.line}"
        case "passed":
            return f"A limit is passed: {alert.line} It goes on, as the budget says."
        case "stopped":
            return f"The limit ends this run: {alert.line}"
        case "open":
            return f"A limit is reached, and a person is asked: {alert.line}"
        case "raised":
            new = amount(alert.measure, alert.raised_to)
            return f"{alert.answered_by} raised the limit to {new}."
        case "once":
            return f"{alert.answered_by} let this run go on without that limit."
        case "ended":
            return f"{alert.answered_by} stopped the run at its limit."
        case _:
            return f"The question about the budget is taken back. {alert.note or ''}".strip()
