"""Migration tasks through the official client of the Server Migration Service."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from huaweicloudsdksms.v3 import (
    ListServersRequest,
    ListTasksRequest,
    ShowTaskRequest,
    SmsClient,
    UpdateTaskStatusReq,
    UpdateTaskStatusRequest,
)

from sms_watch.adapters.sdk import Caller, Connection
from sms_watch.adapters.task_json import read, read_row, read_source, row_id, rows
from sms_watch.errors import TOO_MANY_ROWS, CloudError, TaskGone
from sms_watch.model.task import Listing, Task
from sms_watch.parallel import map_concurrently
from sms_watch.settings.values import Credentials

# Answered with HTTP 400, like every error of the service (SMS API reference, "Error Codes").
NO_SUCH_TASK = "SMS.7703"
PAGE = 200  # rows, the most that both lists give at once
MOST_ROWS = 20_000  # far beyond the 1,000 source servers of an account (SMS FAQs, "quotas")
TASKS, SOURCES = "tasks", "source_servers"


def connect(endpoint: str, credentials: Credentials) -> Connection:
    """Make a client. Paths of tasks hold no project id, so none is asked for."""
    return Connection(SmsClient.new_builder, endpoint, credentials)


class SmsService:
    """The MigrationService of a run, against the real service.

    ``sources`` reads lists that a run can do without, as that of source servers, ``starts`` sends
    starts, and reads what is about to be started: they have ends of their own. Where they are not
    given, ``reads`` does it all. All of them have one connection.
    """

    def __init__(
        self, reads: Caller, sources: Optional[Caller] = None, starts: Optional[Caller] = None
    ) -> None:
        self._client = reads.connection.client
        self._reads = reads
        self._sources = sources or reads
        self._starts = starts or reads

    def read_task(self, task_id: str) -> Task:
        """Return one task.

        Raise TaskGone if the service has no such task, CloudError if it cannot be read.
        """
        return self._read(self._reads, task_id)

    def read_again(self, task_id: str) -> Task:
        """Return one task in the time of the starts. Raise as ``read_task`` does."""
        return self._read(self._starts, task_id)

    def _read(self, caller: Caller, task_id: str) -> Task:
        operation = f"read task {task_id}"
        send = self._client.show_task_invoker(ShowTaskRequest(task_id=task_id)).invoke
        try:
            answer = caller.read(operation, send)
        except CloudError as error:
            raise _told_apart(error) from None
        task = read(answer.body)
        if task is None or task.id != task_id:
            raise caller.malformed(operation, answer=answer)
        return task

    def list_tasks(self, project: str, most: Optional[int] = None) -> Listing:
        """Return all tasks, or those of a migration project, joined with their source servers.

        The first page goes alone, because keys that are refused get locked by a row of further
        tries; it tells how many others there are, and those go at once. Raise CloudError, as the
        port describes.
        """
        read_page = partial(self._page, self._reads if most is None else self._sources)
        first = _whole(read_page((TASKS, 0, "")))
        if most is not None and first.count > most:
            raise CloudError("list the tasks", f"{first.count} rows", code=TOO_MANY_ROWS)
        more = [(TASKS, offset, "") for offset in first.others]
        pages = map_concurrently(read_page, [*more, (SOURCES, 0, project)])
        beginning = pages.pop()
        others = [] if isinstance(beginning, CloudError) else beginning.others
        rest = map_concurrently(read_page, [(SOURCES, offset, project) for offset in others])
        of_sources = [beginning, *rest]
        if project or most is not None:
            of_sources = [_unless_refused(page) for page in of_sources]
        return _listing([first, *pages], of_sources, bool(project))

    def _page(self, caller: Caller, place: Tuple[str, int, str]) -> Union[_Page, CloudError]:
        """Return one page of a list, or what went wrong, so that other pages go on."""
        name, offset, project = place
        operation = f"list {name.replace('_', ' ')} from {offset}"
        # Only with a project do the source servers say which tasks there are to watch.
        caller = self._sources if name == SOURCES and not project else caller
        if name == TASKS:
            asked = self._client.list_tasks_invoker(ListTasksRequest(limit=PAGE, offset=offset))
        else:
            wanted = {"migproject": project} if project else {}
            asked = self._client.list_servers_invoker(
                ListServersRequest(limit=PAGE, offset=offset, **wanted)
            )
        try:
            answer = caller.read(operation, asked.invoke)
            found = rows(answer.body, name)
            if found is None or found[0] > MOST_ROWS:
                raise caller.malformed(operation, answer=answer)
        except CloudError as error:
            return error
        return _Page(*found)

    def start_task(self, task_id: str) -> None:
        """Ask for one task to be started; returning means that the request was accepted.

        That is any 2xx without an ``error_code``, whatever its body is: the SMS API reference
        ("Managing a Migration Task") and the SDK have a string, scripts see an empty object or
        nothing at all. Raise TaskGone or CloudError, as the port describes.
        """
        operation = f"start task {task_id}"
        request = UpdateTaskStatusRequest(
            task_id=task_id, body=UpdateTaskStatusReq(operation="start")
        )
        # Through the invoker: the plain method sends again when its own code raises TypeError.
        send = self._client.update_task_status_invoker(request).invoke
        try:
            self._starts.write(operation, send)
        except CloudError as error:
            raise _told_apart(error) from None


@dataclass(frozen=True)
class _Page:
    """One page of a list: how many rows the whole list has, and these."""

    count: int
    rows: List[Any]

    @property
    def others(self) -> Sequence[int]:
        """Where the pages after the first one begin."""
        return range(PAGE, self.count, PAGE)


def _whole(page: Union[_Page, CloudError]) -> _Page:
    """Return a page. Raise CloudError if it could not be read."""
    if isinstance(page, CloudError):
        raise page
    return page


def _unless_refused(page: Union[_Page, CloudError]) -> Union[_Page, CloudError]:
    """Return a page, or why it could not be read. Raise CloudError if these keys may not read it.

    That lasts, so that to read the tasks by their ids tells more; anything else may pass.
    """
    if isinstance(page, CloudError) and (page.refuses_keys or page.status == HTTPStatus.FORBIDDEN):
        raise page
    return page


def _listing(
    pages: Sequence[Union[_Page, CloudError]],
    of_sources: Sequence[Union[_Page, CloudError]],
    chosen: bool,
) -> Listing:
    """Put the pages together; ``chosen``: only tasks of the source servers listed are asked for.

    A list that changes between two pages repeats rows, or leaves some out. None was left out for
    certain when every page tells of as many rows as there are different ones.
    """
    errors = [page for page in pages if isinstance(page, CloudError)]
    source_errors = [page for page in of_sources if isinstance(page, CloudError)]
    read = [page for page in pages if isinstance(page, _Page)]
    by_id: Dict[str, Any] = {row_id(row): row for page in read for row in page.rows}
    by_id.pop("", None)
    of = [page for page in of_sources if isinstance(page, _Page)]
    sources = dict(read_source(row) for page in of for row in page.rows)
    made = {task_id: read_row(row, sources) for task_id, row in by_id.items()}
    tasks = [task for task in made.values() if task is not None]
    counts = {page.count for page in read}
    complete = not errors and counts == {len(by_id)}
    others = frozenset(t.id for t in tasks if chosen and t.servers.source_id not in sources)
    unsure = others if source_errors else frozenset()
    return Listing(
        tuple(task for task in tasks if task.id in unsure or task.id not in others),
        frozenset(by_id),
        complete,
        _why_incomplete(errors, complete),
        0 if errors else max(max(counts) - len(by_id), 0),
        bool(errors),
        frozenset(task_id for task_id, task in made.items() if task is None),
        f"connections and copied bytes are unknown in this run: {source_errors[0]}"
        if source_errors
        else "",
        unsure,
    )


def _why_incomplete(errors: Sequence[CloudError], complete: bool) -> str:
    if errors:
        return f"a part of the list of tasks could not be read: {errors[0]}"
    if not complete:
        return "the list of tasks changed while it was read; the next run reads it again"
    return ""


def _told_apart(error: CloudError) -> CloudError:
    if error.code != NO_SUCH_TASK:
        return error
    return TaskGone(
        error.operation,
        error.message,
        status=error.status,
        code=error.code,
        request_id=error.request_id,
    )
