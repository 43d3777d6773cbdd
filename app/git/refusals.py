"""What can go wrong with git: a refusal a person can act on, or a failure of git itself."""

from collections.abc import Iterable


class GitRefused(Exception):
    """We decline, nothing has changed. `reason` is for programs, the message is for people.

    Reasons: `git_missing`, `git_too_old`, `not_a_repository`, `bare`, `no_commit`, `not_writable`,
    `dubious_ownership`, `bad_branch_name`, `branch_exists`, `base_missing`, `path_exists`, `not_ours`,
    `unsaved`, `checked_out`, `left_behind`, `unknown_revision`, `conflict`, `nothing_to_merge`,
    `busy`, `moved`, `dirty`, `in_the_way`, `not_on_base`, `misconfigured`,
    `not_a_fast_forward`, `signing_failed`.
    """

    def __init__(self, reason: str, message: str, paths: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        #: Repository paths, at most all of them; decoded with surrogateescape.
        self.paths = tuple(paths)


class GitError(Exception):
    """git ended with a code nobody expected. `stderr` is git's own text, to be shown, never compared."""

    def __init__(self, args: Iterable[str | bytes], code: int, stderr: str) -> None:
        self.arguments = tuple(args)
        self.code = code
        self.stderr = stderr
        command = next((str(arg) for arg in self.arguments), "")
        super().__init__(f"git {command} failed ({code}): {stderr.strip() or 'no message'}")
