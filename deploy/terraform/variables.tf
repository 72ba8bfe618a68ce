# What has to be given

variable "region" {
  description = "Region of the function, the topic, the bucket and the logs, such as ap-southeast-3."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]{1,20}-[0-9]{1,3}$", var.region))
    error_message = "Give a region such as ap-southeast-3."
  }
}

variable "task_ids" {
  description = "The migration tasks to watch: their ids, separated by commas or spaces; or * for every task of the account."
  type        = string

  validation {
    condition     = can(regex("^\\s*(\\*|[A-Za-z0-9-]{1,36}([\\s,]+[A-Za-z0-9-]{1,36})*)\\s*$", var.task_ids))
    error_message = "Give *, or task ids of at most 36 letters, digits and hyphens, separated by commas or spaces."
  }
}

# The code: one of the two

variable "code" {
  description = "The zip, Base64-encoded: filebase64(\"dist/sms-watch.zip\"). Or give code_url."
  type        = string
  default     = ""
}

variable "code_url" {
  description = "Link of the zip in an OBS bucket of the same region. Or give code."
  type        = string
  default     = ""

  validation {
    condition     = var.code_url == "" || can(regex("^https://[^/]+/.+$", var.code_url))
    error_message = "Give the https:// link that the OBS console shows for the zip."
  }
}

# Who is told

variable "emails" {
  description = "Addresses that get the messages. Each has to confirm a mail once."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for each in var.emails : can(regex("^[^@\\s]+@[^@\\s]+$", each))])
    error_message = "Give e-mail addresses."
  }
}

variable "topic_urn" {
  description = "An SMN topic that exists: urn:smn:<region>:<project id>:<name>. Empty: one is made."
  type        = string
  default     = ""

  validation {
    condition     = var.topic_urn == "" || can(regex("^urn:smn:[^:]+:[A-Za-z0-9]+:[A-Za-z0-9_-]+$", var.topic_urn))
    error_message = "Give the URN of the topic, with five parts; the one of a subscription has six."
  }
}

# Where the watchdog remembers

variable "bucket" {
  description = "An OBS bucket that exists, of the standard class, without a dot in its name. Empty: one is made, private."
  type        = string
  default     = ""

  validation {
    condition     = var.bucket == "" || can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "Give the name of a bucket, without obs://, without a prefix, and without a dot: no certificate of OBS fits a name with one."
  }
}

variable "journal_days" {
  description = "Days after which a day's journal is deleted, in a bucket that is made here."
  type        = number
  default     = 90

  validation {
    condition     = var.journal_days >= 32
    error_message = "The watchdog looks back 31 days: give 32 or more."
  }
}

# How it runs

variable "name" {
  description = "Name of the function, and of what is made for it."
  type        = string
  default     = "sms-watch"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,28}[a-z0-9]$", var.name))
    error_message = "Give 2 to 30 small letters, digits and hyphens, a letter first, no hyphen last."
  }
}

variable "runtime" {
  description = "Python of the function. Changing it makes the function anew. A zip that was compiled is fast on its own version only."
  type        = string
  default     = "Python3.10"

  validation {
    condition     = contains(["Python3.9", "Python3.10", "Python3.12"], var.runtime)
    error_message = "Give Python3.9, Python3.10 or Python3.12."
  }
}

variable "memory_size" {
  description = "Memory in MB. 128 is enough, and comes with 300 millicores of a processor; more memory comes with more."
  type        = number
  default     = 128

  validation {
    condition     = contains([128, 256, 512, 768, 1024], var.memory_size)
    error_message = "Give 128, 256, 512, 768 or 1024."
  }
}

variable "every_minutes" {
  description = "Minutes from run to run."
  type        = number
  default     = 1

  validation {
    condition     = var.every_minutes >= 1 && var.every_minutes <= 30 && floor(var.every_minutes) == var.every_minutes
    error_message = "Give a whole number from 1 to 30."
  }
}

variable "user_event" {
  description = "What the timer tells the function: empty, or \"test\" for a test message every run."
  type        = string
  default     = ""
}

variable "sms_region" {
  description = "Region of the SMS endpoint: ap-southeast-3, or cn-north-4 on the Chinese site."
  type        = string
  default     = "ap-southeast-3"
}

variable "settings" {
  description = "Other settings, by their names in the README: { TIME_ZONE = \"Asia/Shanghai\" }."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([for name in keys(var.settings) : contains([
      "SMS_TASK_NAMES", "SMS_MIGRATION_PROJECT",
      "SMS_ENDPOINT", "SMN_ENDPOINT", "OBS_ENDPOINT", "OBS_REGION",
      "RESUME_MAX_ATTEMPTS", "RESUME_BACKOFF_MINUTES", "RESUME_BACKOFF_MAX_MINUTES",
      "RESUME_MAX_PER_RUN", "RESUME_GRACE_MINUTES", "ERROR_CLASSES",
      "STALL_MINUTES", "HANG_MINUTES", "REMIND_HOURS", "DIGEST_HOURS", "NOTIFY_ON", "TIME_ZONE",
      "RUN_BUDGET_SECONDS", "DRY_RUN", "LOG_LEVEL",
    ], name)])
    error_message = "One of the names is no setting, or has a variable of its own here."
  }
}

# What it may do

variable "agency" {
  description = "Name of an agency for FunctionGraph that exists, with the rights of deploy/policies. Empty: one is made."
  type        = string
  default     = ""
}

variable "project_name" {
  description = "Project in which the agency may publish. Empty: the region's own."
  type        = string
  default     = ""
}

variable "access_key" {
  description = "Access key, in place of the agency's temporary ones; stored encrypted in the function, in clear in Terraform's state. Better leave it empty."
  type        = string
  default     = ""
  sensitive   = true
}

variable "secret_key" {
  description = "Secret key that belongs to the access key."
  type        = string
  default     = ""
  sensitive   = true
}

# What is kept, and who watches the watchdog

variable "log_days" {
  description = "Days for which logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = var.log_days >= 1 && var.log_days <= 365
    error_message = "Give 1 to 365."
  }
}

variable "alarms" {
  description = "Whether Cloud Eye raises an alarm when runs fail in a row, or do not take place."
  type        = bool
  default     = true
}
