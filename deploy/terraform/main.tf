locals {
  topic_urn = coalesce(var.topic_urn, one(huaweicloud_smn_topic.watch[*].topic_urn))
  bucket    = coalesce(var.bucket, one(huaweicloud_obs_bucket.journal[*].bucket))
  agency    = coalesce(var.agency, one(huaweicloud_identity_agency.watch[*].name))

  # The function's timeout has to leave 10 seconds for what follows the last call.
  timeout = tonumber(lookup(var.settings, "RUN_BUDGET_SECONDS", "50")) + 10

  plain = merge({ OBS_REGION = var.region }, var.settings, {
    SMS_TASK_IDS  = var.task_ids
    SMS_REGION    = var.sms_region
    SMN_TOPIC_URN = local.topic_urn
    JOURNAL_URI   = "obs://${local.bucket}/${var.name}"
  })
  keys = var.access_key == "" ? {} : {
    HUAWEICLOUD_SDK_AK = var.access_key
    HUAWEICLOUD_SDK_SK = var.secret_key
  }
}

# Who is told

resource "huaweicloud_smn_topic" "watch" {
  count = var.topic_urn == "" ? 1 : 0

  name         = var.name
  display_name = "Migration tasks (${var.name})"
}

resource "huaweicloud_smn_subscription" "email" {
  for_each = toset(var.emails)

  topic_urn = local.topic_urn
  protocol  = "email"
  endpoint  = each.value
}

# Where the watchdog remembers

resource "huaweicloud_obs_bucket" "journal" {
  count = var.bucket == "" ? 1 : 0

  # The project id makes the name one of a kind; OBS knows a name once in the world.
  bucket        = "${var.name}-${split(":", local.topic_urn)[3]}"
  acl           = "private"
  storage_class = "STANDARD"

  lifecycle_rule {
    name    = "old-journals"
    prefix  = var.name
    enabled = true

    expiration {
      days = var.journal_days
    }
  }
}

# What it says

resource "huaweicloud_lts_group" "watch" {
  group_name  = var.name
  ttl_in_days = var.log_days
}

resource "huaweicloud_lts_stream" "watch" {
  group_id    = huaweicloud_lts_group.watch.id
  stream_name = var.name
}

# The function, and what wakes it

resource "huaweicloud_fgs_function" "watch" {
  name        = var.name
  description = "Starts failed migration tasks again, and tells people once"
  app         = "default"
  runtime     = var.runtime
  memory_size = var.memory_size
  timeout     = local.timeout

  handler             = "index.handler"
  initializer_handler = "index.initializer"
  initializer_timeout = 30

  # Two runs at once do no harm, but they are of no use either. Whether a tick that comes during a run
  # is discarded or queued is documented in two ways; both are fine.
  max_instance_num = "1"

  code_type     = var.code_url == "" ? "zip" : "obs"
  code_filename = var.code_url == "" ? "sms-watch.zip" : null
  func_code     = var.code_url == "" ? var.code : null
  code_url      = var.code_url == "" ? null : var.code_url

  # For the failure destination, and for the temporary keys of each run.
  agency     = local.agency
  app_agency = local.agency

  # Sent without keys, too: the provider does not pass a null on, and the function would keep keys
  # that were taken away.
  user_data           = jsonencode(local.plain)
  encrypted_user_data = jsonencode(local.keys)

  # Collecting is switched on in logs_override.tf, which the template for RFS does without.
  log_group_id    = huaweicloud_lts_group.watch.id
  log_group_name  = huaweicloud_lts_group.watch.group_name
  log_stream_id   = huaweicloud_lts_stream.watch.id
  log_stream_name = huaweicloud_lts_stream.watch.stream_name

  lifecycle {
    # If this alone differs, for example after an upload in the console, the provider would send the
    # SHA-1 in its state in place of the code. New code is seen by func_code or code_url.
    ignore_changes = [code_filename]

    precondition {
      condition     = (var.code == "") != (var.code_url == "")
      error_message = "Give code or code_url, and not both."
    }

    precondition {
      condition     = var.topic_urn != "" || length(var.emails) > 0
      error_message = "Nobody would be told: give emails, or the topic_urn of a topic that has subscriptions."
    }

    precondition {
      condition     = (var.access_key == "") == (var.secret_key == "")
      error_message = "Give access_key and secret_key, or neither."
    }

    # FunctionGraph's limits; whether encrypted variables count apart is not documented.
    precondition {
      condition     = length(local.plain) + length(local.keys) <= 20
      error_message = "FunctionGraph takes 20 variables: leave some settings at their defaults."
    }

    precondition {
      condition     = length(jsonencode(local.plain)) + length(jsonencode(local.keys)) <= 4096
      error_message = "FunctionGraph takes 4,096 characters of variables, in some regions 2,048: watch fewer tasks with one function, or all of them with *."
    }
  }
}

resource "huaweicloud_fgs_function_trigger" "tick" {
  function_urn = huaweicloud_fgs_function.watch.urn
  type         = "TIMER"
  status       = "ACTIVE"
  # The provider compares this as text with what FunctionGraph answers: sync_execution always, and
  # user_event only if there is one.
  event_data = jsonencode(merge(
    {
      name           = "tick"
      schedule_type  = "Rate"
      schedule       = "${var.every_minutes}m"
      sync_execution = false
    },
    var.user_event == "" ? {} : { user_event = var.user_event },
  ))
}

# The next tick is the retry. A run that failed is told to the topic; whether one that raised an
# exception counts as failed here is documented in two ways. The alarm "failing" counts it anyway.
resource "huaweicloud_fgs_async_invoke_configuration" "once" {
  function_urn                   = huaweicloud_fgs_function.watch.urn
  max_async_event_age_in_seconds = 60
  max_async_retry_attempts       = 0

  on_failure {
    destination = "SMN"
    param       = jsonencode({ topic_urn = local.topic_urn })
  }
}
