"""A transaction that lets go of its connection however it ends: Piccolo's own keeps it when the database goes away."""

from types import TracebackType

from piccolo.engine.postgres import PostgresTransaction


class Transaction(PostgresTransaction):
    """As Piccolo's. After a commit or a rollback that failed too, what its task does next is outside of it."""

    async def __aenter__(self) -> PostgresTransaction:
        if self._parent is not None:
            return self._parent
        self.connection = await self.get_connection()
        try:
            self.transaction = self.connection.transaction()
            await self.begin()
        except BaseException:
            await self._give_back()
            raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(
        self, type_: type[BaseException] | None, exception: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if self._parent:
            return exception is None
        try:
            if not self._committed and not self._rolled_back:
                await (self.rollback() if exception else self.commit())
        finally:
            self.engine.current_transaction.reset(self.context)
            await self._give_back()
        return exception is None

    async def _give_back(self) -> None:
        if self.engine.pool:
            await self.engine.pool.release(self.connection)
        else:
            await self.connection.close()
