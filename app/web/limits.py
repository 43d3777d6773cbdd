"""How much a request may carry."""

#: Bytes of a request's body; more is answered with 413.
REQUEST_BODY = 1024 * 1024
