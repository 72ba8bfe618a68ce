# Who watches the watchdog, besides the failure destination: Cloud Eye, which counts the runs.

locals {
  # Seconds in which a run has to take place; Cloud Eye knows these two and longer ones.
  window = var.every_minutes < 5 ? 300 : 3600

  alarms = {
    failing = {
      description = "Runs of ${var.name} fail again and again: look at its messages and its logs"
      metric_name = "failcount"
      comparison  = ">="
    }
    missing = {
      description = "${var.name} does not run: look at its timer, and whether it is disabled"
      metric_name = "count"
      comparison  = "<"
    }
  }
}

resource "huaweicloud_ces_alarmrule" "watch" {
  for_each = var.alarms ? local.alarms : {}

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = each.value.description

  metric {
    namespace = "SYS.FunctionGraph"
  }

  resources {
    dimensions {
      name  = "package-functionname"
      value = "default-${huaweicloud_fgs_function.watch.name}"
    }
  }

  # In two windows one after the other; while it lasts, told once an hour.
  condition {
    metric_name         = each.value.metric_name
    period              = local.window
    filter              = "sum"
    comparison_operator = each.value.comparison
    value               = 1
    count               = 2
    suppress_duration   = 3600
    alarm_level         = 2
  }

  alarm_actions {
    type              = "notification"
    notification_list = [local.topic_urn]
  }

  ok_actions {
    type              = "notification"
    notification_list = [local.topic_urn]
  }
}
