# What the function may do, and no more: the reasons are in deploy/policies/README.md. The actions
# are listed there once more, for the console; a test holds the two equal.

resource "huaweicloud_identity_role" "global" {
  count = var.agency == "" ? 1 : 0

  name        = "${var.name}-global"
  description = "Reading and starting migration tasks, and the journal"
  type        = "AX"
  policy = jsonencode({
    Version = "1.1"
    Statement = [
      {
        Effect = "Allow"
        Action = ["sms:server:queryServer", "sms:server:migrationServer"]
      },
      {
        Effect   = "Allow"
        Action   = ["obs:object:GetObject", "obs:object:PutObject"]
        Resource = ["obs:*:*:object:${local.bucket}/${var.name}/*"]
      },
      {
        Effect   = "Allow"
        Action   = ["obs:bucket:ListBucket"]
        Resource = ["obs:*:*:bucket:${local.bucket}"]
      },
    ]
  })
}

resource "huaweicloud_identity_role" "project" {
  count = var.agency == "" ? 1 : 0

  name        = "${var.name}-project"
  description = "Publishing messages"
  type        = "XA"
  policy = jsonencode({
    Version = "1.1"
    Statement = [
      {
        Effect = "Allow"
        Action = ["smn:topic:publish"]
      },
    ]
  })
}

resource "huaweicloud_identity_agency" "watch" {
  count = var.agency == "" ? 1 : 0

  name        = var.name
  description = "For the function of the same name"
  # FunctionGraph. The provider keeps the names of services here, not in delegated_domain_name.
  delegated_service_name = "op_svc_cff"
  domain_roles           = [huaweicloud_identity_role.global[0].name]

  project_role {
    project = coalesce(var.project_name, var.region)
    roles   = [huaweicloud_identity_role.project[0].name]
  }
}
