"""Migration tasks through the official client of the Server Migration Service."""

from __future__ import annotations

from huaweicloudsdksms.v3 import (
    ShowTaskRequest,
    SmsClient,
    UpdateTaskStatusReq,
    UpdateTaskStatusRequest,
)

from sms_watch.adapters.sdk import Caller, Connection
from sms_watch.adapters.task_json import read
from sms_watch.errors import CloudError, TaskGone
from sms_watch.model import Credentials, Task

# Answered with HTTP 400, like every error of the service (SMS API reference, "Error Codes").
NO_SUCH_TASK = "SMS.7703"


def connect(endpoint: str, credentials: Credentials) -> Connection:
    """Make a client. Paths of tasks hold no project id, so none is asked for."""
    return Connection(SmsClient.new_builder, endpoint, credentials)


class SmsService:
    """The MigrationService of a run, against the real service."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def read_task(self, task_id: str) -> Task:
        """Read one task.

        Raises TaskGone when the service has no such task, CloudError when it cannot be read.
        """
        operation = f"read task {task_id}"
        request = ShowTaskRequest(task_id=task_id)
        try:
            answer = self._caller.read(
                operation, self._caller.connection.client.show_task_invoker(request).invoke
            )
        except CloudError as error:
            raise _told_apart(error) from None
        task = read(answer.body)
        if task is None or task.id != task_id:
            raise self._caller.malformed(operation)
        return task

    def start_task(self, task_id: str) -> None:
        """Ask for one task to be started; returning means that the request was accepted.

        Raises TaskGone or CloudError, as the port describes.
        """
        operation = f"start task {task_id}"
        request = UpdateTaskStatusRequest(
            task_id=task_id, body=UpdateTaskStatusReq(operation="start")
        )
        # Through the invoker: the plain method sends again when its own code raises TypeError.
        send = self._caller.connection.client.update_task_status_invoker(request).invoke
        try:
            answer = self._caller.write(operation, send)
        except CloudError as error:
            raise _told_apart(error) from None
        if not isinstance(answer.body, dict):
            raise self._caller.malformed(operation, write=True)


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
